/**
 * Without these characters at the end. By hand: where the end is something else, a pattern such as `/+$` looks for it
 * again from each of a million slashes, and a text of strangers would stop everything for minutes.
 */
export function trimEnd(text: string, characters: string): string {
  let end = text.length
  while (end > 0 && characters.includes(text.charAt(end - 1))) {
    end -= 1
  }
  return text.slice(0, end)
}
