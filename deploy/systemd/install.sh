#!/bin/sh
# Installs a clone that is built, with its units, for this machine; once more replaces it by a newer one:
#
#     sudo sh deploy/systemd/install.sh
#
# The program with its locked dependencies goes to /opt/lockstep, what it computes stands in /etc/lockstep. Files there that
# exist are kept. It starts nothing.
set -eu
umask 022
cd "$(dirname "$0")/../.."
place=/opt/lockstep

# Units do not see a Node.js that lies in somebody's home.
if ! env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin sh -c 'command -v node && command -v npm' >/dev/null; then
  echo 'error: node and npm are not in /usr/bin or /usr/local/bin, where services look for them: install Node.js for all users' >&2
  exit 1
fi
if [ ! -f dist/src/cli/main.js ]; then
  echo 'error: this clone is not built: npm ci && npm run build' >&2
  exit 1
fi

# What npm would publish, and kernels that were compiled here.
new=$(mktemp -d "$place.XXXXXX")
trap 'rm -rf "$new"' EXIT
npm pack --loglevel=error --ignore-scripts --pack-destination "$new" >/dev/null
tar -xzf "$new"/lockstep-*.tgz -C "$new" --strip-components=1 --no-same-owner
rm "$new"/lockstep-*.tgz
[ ! -d dist/native ] || cp -R dist/native "$new/dist/"
cp package-lock.json "$new/"
(cd "$new" && npm ci --loglevel=error --omit=dev --prefer-offline --no-audit --no-fund --ignore-scripts)
# The engine webgpu is an extra, which developers and hosts with GPUs have.
for extra in webgpu @tensorflow/tfjs-backend-webgpu; do
  [ ! -d "node_modules/$extra" ] || { rm -rf "$new/node_modules/$extra" && cp -R "node_modules/$extra" "$new/node_modules/$extra"; }
done
chmod -R a+rX "$new"
rm -rf "$place"
mv "$new" "$place"
trap - EXIT
ln -sf "$place/bin/lockstep.js" /usr/local/bin/lockstep
chmod 755 "$place/bin/lockstep.js"
install deploy/service.sh /usr/local/bin/lockstep-service

# Whose the programs of runs are, which agents start. GPUs belong to these groups, where there are any.
getent passwd lockstep >/dev/null || useradd --system --user-group --home-dir /var/lib/lockstep-agent --shell /usr/sbin/nologin lockstep
for group in render video; do
  ! getent group "$group" >/dev/null || usermod --append --groups "$group" lockstep
done

mkdir -p /etc/lockstep
[ -e /etc/lockstep/run.yaml ] || install --mode 644 deploy/systemd/run.yaml /etc/lockstep/run.yaml
# Only root reads these: an address of NATS may have a password in it.
for name in agent coordinator; do
  [ -e "/etc/lockstep/$name.env" ] || install --mode 600 "deploy/systemd/$name.env" "/etc/lockstep/$name.env"
done
cp deploy/systemd/*.service /etc/systemd/system/
systemctl daemon-reload
