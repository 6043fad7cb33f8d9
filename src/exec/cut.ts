/** At most that many characters, for a place where the rest would hide what matters. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
