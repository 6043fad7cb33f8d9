import type { WireError } from '#lib/errors.ts'

const LONGEST = 200

/**
 * An error as one line for everybody who reads the repository: the same each time it happens again, so without times,
 * ids and paths of the moment. Secrets were taken out of it where it came from. Files are named from the folder that its
 * URL.md is in.
 */
export function errorLine(
  { message, problems = [] }: Pick<WireError, 'message' | 'problems'>,
  folder = '.',
): string {
  const [first] = problems
  const place =
    first?.file === undefined
      ? ''
      : ` (${[within(folder, first.file), first.line].filter(part => part).join(':')})`
  const line = message
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\/(?:tmp|var\/tmp|var\/lib|run)\/[^\s"',;:)]*/g, '…')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '…')
    .replace(/\b(?:sha256:)?[0-9a-f]{12,64}\b/gi, '…')
    .replace(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?Z?)?\b/g, '…')
    .replace(/\b\d\d:\d\d:\d\d\b/g, '…')
    .replace(/\b\d+(?:\.\d+)?\s?(?:ms|s|seconds|minutes)\b/g, '…')
    .trim()
  const suffix = place !== '' && line.includes(place.slice(2, -1)) ? '' : place
  const characters = [...line]
  const room = LONGEST - [...suffix].length
  return `${characters.length > room ? `${characters.slice(0, room - 1).join('')}…` : line}${suffix}`
}

function within(folder: string, file: string): string {
  return file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file
}
