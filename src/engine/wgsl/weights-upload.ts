import type { GpuDevice } from './device.js';

/**
 * Brings weights to the device through buffers that the host has mapped, in turns: one copy, where `writeBuffer` makes another
 * and looks for memory each time.
 */
export class WeightsUpload {
  private readonly free: GPUBuffer[] = [];
  private filled: GPUBuffer | undefined;
  private waiting: Promise<unknown> = Promise.resolve();

  /** @param to - where they belong */
  constructor(
    private readonly gpu: GpuDevice,
    private readonly to: GPUBuffer,
    private readonly length: number,
  ) {}

  /** What is submitted next has these weights. */
  bring(weights: Float32Array): void {
    if (this.filled) this.finish(this.submitAlone(this.filled));
    const buffer = this.free.pop() ?? this.create();
    new Float32Array(buffer.getMappedRange(), 0, this.length).set(weights);
    buffer.unmap();
    this.filled = buffer;
  }

  /** Puts the copy of what was brought before what is encoded. @returns what `finish` wants behind the submission */
  encode(encoder: GPUCommandEncoder): GPUBuffer | undefined {
    const { filled } = this;
    this.filled = undefined;
    if (filled) encoder.copyBufferToBuffer(filled, 0, this.to, 0, this.length * 4);
    return filled;
  }

  /** The buffer is used again as soon as the device is done with it. */
  finish(buffer: GPUBuffer | undefined): void {
    if (!buffer) return;
    const mapped = buffer.mapAsync(GPUMapMode.WRITE).then(
      () => this.free.push(buffer),
      () => undefined, //                                        the device is lost, as whoever waits for the answer is told
    );
    this.waiting = Promise.all([this.waiting, mapped]);
  }

  /** Until the device has nothing in hand: a thread that ends before would take the process with it. Never rejects. */
  async settled(): Promise<void> {
    await this.waiting;
  }

  private submitAlone(buffer: GPUBuffer): GPUBuffer {
    const { device } = this.gpu;
    const encoder = device.createCommandEncoder();
    this.encode(encoder);
    device.queue.submit([encoder.finish()]);
    return buffer;
  }

  private create(): GPUBuffer {
    const size = Math.ceil((this.length * 4) / 16) * 16;
    const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC;
    return this.gpu.device.createBuffer({ label: 'upload', size, usage, mappedAtCreation: true });
  }
}
