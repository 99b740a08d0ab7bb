/** A device as plans see it. */
export interface GpuDevice {
  readonly device: GPUDevice;
  /** Bytes that a workgroup's threads have in common. */
  readonly workgroupBytes: number;
  /** Threads of a workgroup, at most. */
  readonly workgroupThreads: number;
  /** @returns a buffer of zeros for kernels, copied from and to */
  allocate(bytes: number, label: string): GPUBuffer;
}

export function gpuDeviceOf(device: GPUDevice): GpuDevice {
  return {
    device,
    workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
    workgroupThreads: device.limits.maxComputeInvocationsPerWorkgroup,
    allocate: (size, label) => device.createBuffer({ label, size, usage: storage() }),
  };
}

/** Constants of WebGPU are there when Dawn is, and not before. */
function storage(): number {
  return GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
}
