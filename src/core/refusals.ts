/** Why somebody was not let in; the label of a metric. */
export const refusalReasons = [
  'plain-text',
  'no-certificate',
  'other-authority',
  'expired-certificate',
  'wrong-role',
  'wrong-token',
  'other-run',
  'expired-token',
  'replayed-token',
  'too-many',
  'handshake',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];
