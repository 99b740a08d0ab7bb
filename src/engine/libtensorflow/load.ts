import { createRequire } from 'node:module';
import { join } from 'node:path';

import { tf } from '../tensorflow.js';
import type { Installation } from './installations.js';

interface Binding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

export interface LoadedTensorflow {
  /** Of libtensorflow. */
  readonly version: string;
  readonly isOnGpu: boolean;
}

/**
 * Loads libtensorflow into this process, and registers it as TensorFlow.js's backend `tensorflow`.
 *
 * Not through the package's own entry: that brings a second copy of TensorFlow.js with backends for browsers, and starts
 * before anybody could say why it does not. Its kernels get our copy, so that models, kernels and tensors have one.
 *
 * The binding keeps a state for each thread that loads it, but also one set of names for all, without a lock: of the threads of
 * a process only one may use it.
 *
 * @throws Error with the linker's words
 */
export function loadTensorflow({ folder, binding: file }: Installation): LoadedTensorflow {
  restoreUtil();
  addMethods();
  const load = createRequire(join(folder, 'package.json'));
  for (const name of ['@tensorflow/tfjs', '@tensorflow/tfjs-core']) lendTensorflowJs(load, name);
  const binding = load(file) as Binding;
  load('./dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = load('./dist/nodejs_kernel_backend.js') as {
    readonly NodeJSKernelBackend: new (binding: Binding, packageName: string) => tf.KernelBackend;
  };
  const isOnGpu = binding.isUsingGpuDevice();
  const packageName = `@tensorflow/tfjs-node${isOnGpu ? '-gpu' : ''}`; // by which it decides what the device can do
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, packageName), 0);
  return { version: binding.TF_Version, isOnGpu };
}

/** Its backend is compiled so that it calls the class that it extends without `new`, which only a plain function allows. */
const lentCopy = { ...tf, KernelBackend: Object.assign(() => undefined, { prototype: tf.KernelBackend.prototype }) };

/** Whatever a package asks for under this name is what we have loaded. */
function lendTensorflowJs(load: NodeJS.Require, name: string): void {
  const filename = load.resolve(name);
  if (load.cache[filename]) return; //                            it is ours
  const lent = { id: filename, filename, loaded: true, exports: lentCopy, children: [], paths: [] };
  load.cache[filename] = lent as unknown as NodeJS.Module;
}

/** Of tensors, those that its kernels call: TensorFlow.js adds methods only where all of it is loaded. */
function addMethods(): void {
  const methods: Readonly<Record<string, (this: tf.Tensor, other: tf.TensorLike) => tf.Tensor>> = {
    add(other) {
      return tf.add(this, other);
    },
    sub(other) {
      return tf.sub(this, other);
    },
    mul(other) {
      return tf.mul(this, other);
    },
    toInt() {
      return tf.cast(this, 'int32');
    },
    toFloat() {
      return tf.cast(this, 'float32');
    },
  };
  const prototype = tf.Tensor.prototype as unknown as Record<string, unknown>;
  for (const [name, method] of Object.entries(methods)) prototype[name] ??= method;
}

/** What Node.js 23 took out of `util`, and the kernels of tfjs-node still call. */
function restoreUtil(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util['isArray'] ??= Array.isArray;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
}
