/** What the engine `tensorflow` is made of, where lockstep puts it together itself. Raise them together, and run the contract suite. */

/** Has to be that of @tensorflow/tfjs-core: a package brings kernels for the operations of its own version. */
export const tfjsNodeVersion = '4.22.0';

/** Of the wheels `tensorflow` and `tensorflow-cpu`, which hold libtensorflow. */
export const libtensorflowVersion = '2.21.0';

/** What the package needs of others in the files that are loaded, and the headers that its binding is compiled with. */
export const companions = { protobuf: 'google-protobuf@3.21.4', headers: 'node-api-headers@1.5.0' } as const;
