import { instructionsOf } from '#formats/dockerfile-instructions.ts'

/** The first TCP port of the last stage that EXPOSE names as a number. */
export function exposedPort(text: string): number | undefined {
  let port: number | undefined
  for (const { word, rest } of instructionsOf(text)) {
    if (word === 'FROM') {
      port = undefined
    }
    if (word === 'EXPOSE' && port === undefined) {
      const first = rest.split(/\s+/).find(each => /^\d{1,5}(?:\/tcp)?$/i.test(each))
      const number = Number.parseInt(first ?? '', 10)
      port = number >= 1 && number <= 65_535 ? number : undefined
    }
  }
  return port
}
