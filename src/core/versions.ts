/** Two programs work together only if both of these are equal. */

/** Raised when a message or a rule of the membership protocol changes. */
export const protocolVersion = 2;

/** Raised when the same spec would give other bits: kernels, update rules, sampling order, initialisers. */
export const numericsVersion = 1;
