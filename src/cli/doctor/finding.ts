/** What one check came to. */
export interface Finding {
  readonly check: string;
  /** `note`: it works, and there is something to know. */
  readonly outcome: 'good' | 'note' | 'bad';
  /** One line. */
  readonly says: string;
  /** What to do or to open; of what is not good. */
  readonly remedy?: string;
  /** What was measured, for programs: units last. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

export function good(check: string, says: string, facts?: Finding['facts']): Finding {
  return { check, outcome: 'good', says, ...(facts && { facts }) };
}

export function note(check: string, says: string, remedy: string): Finding {
  return { check, outcome: 'note', says, remedy };
}

export function bad(check: string, says: string, remedy: string): Finding {
  return { check, outcome: 'bad', says, remedy };
}
