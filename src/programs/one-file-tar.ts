/** A tar with one small file, as text: its content must be ASCII. */
export function oneFileTar({ name, content, mode, uid }: OneFile): string {
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
  const before = [
    name.padEnd(100, '\0'),
    octal(mode, 8),
    octal(uid, 8),
    octal(uid, 8),
    octal(content.length, 12),
    octal(0, 12),
  ].join('')
  const after = `0${'\0'.repeat(100)}ustar\x0000`.padEnd(BLOCK - before.length - CHECKSUM.length, '\0')
  const sum = [...`${before}${CHECKSUM}${after}`].reduce((total, letter) => total + letter.charCodeAt(0), 0)
  const header = `${before}${octal(sum, 7)} ${after}`
  const padding = '\0'.repeat((BLOCK - (content.length % BLOCK)) % BLOCK)
  return `${header}${content}${padding}${'\0'.repeat(2 * BLOCK)}`
}

export interface OneFile {
  readonly name: string
  readonly content: string
  readonly mode: number
  readonly uid: number
}

const BLOCK = 512
/** Counted as spaces. */
const CHECKSUM = ' '.repeat(8)
