import type { Clock } from '#lib/clock.ts'
import type { CiDialect } from './ci-dialect.ts'

/** The log of a CI job: lines in groups that people fold, one open at a time. */
export interface CiGroups {
  /** Ends the open group and begins this one, if it is another. */
  open(name: string): void
  close(): void
  annotate(title: string, text: string): void
}

export function createCiGroups(dialect: CiDialect, clock: Clock, write: (line: string) => void): CiGroups {
  let current: string | undefined
  const close = () => {
    if (current !== undefined) {
      write(dialect.groupEnd(current, clock.now()))
      current = undefined
    }
  }
  return {
    open(name) {
      if (name !== current) {
        close()
        current = name
        write(dialect.groupStart(name, clock.now()))
      }
    },
    close,
    annotate(title, text) {
      const annotation = dialect.annotation(title, text)
      if (annotation !== undefined) {
        write(annotation)
      }
    },
  }
}
