import type { CodecKernels, CodecWork } from '../collective/codecs/kernels.js';
import type { Arena } from '../core/arena.js';
import type { Kernels } from './kernels.js';

/** `codec_request` of kernels/program.h, in words. */
const requestWords = 12;
/** In the order of kernels/codecs.c. */
const operations = ['bf16-encode', 'bf16-decode', 'int8-encode', 'int8-decode'] as const satisfies CodecWork['what'][];

/** The codecs' kernels, for vectors that lie in the arena. */
export function codecKernels(kernels: Kernels, arena: Arena): CodecKernels {
  const address = arena.reserve(requestWords * 4);
  const request = new Uint32Array(arena.buffer, address, requestWords);
  const isHere = (view: Float32Array | Uint8Array): boolean => view.buffer instanceof SharedArrayBuffer;
  return {
    run({ what, values, bytes, residual, random }) {
      if (!isHere(values) || !isHere(bytes) || (residual && !isHere(residual))) return false;
      request.fill(0);
      request[0] = operations.indexOf(what);
      request[1] = values.byteOffset;
      request[2] = bytes.byteOffset;
      request[3] = residual?.byteOffset ?? 0;
      request[4] = values.length;
      if (random) {
        request[5] = 1;
        request.set(random.key, 6);
        request.set(random.counter, 8);
        request[11] = random.element;
      }
      kernels.code(0, address);
      return true;
    },
  };
}
