/** A longer line is handed on in parts of this many characters. */
export const LONGEST_LINE = 16 * 1024

export interface Lines {
  write(text: string): void
  /** Hands on a last line that has no end. */
  end(): void
}

/**
 * Cuts text that arrives in pieces into lines. A carriage return ends a line too, so a progress bar gives one line
 * per state; NUL becomes a visible sign, because stores and terminals end a text there.
 */
export function createLines(onLine: (line: string) => void): Lines {
  let rest = ''
  let afterReturn = false

  function write(text: string): void {
    const fresh = afterReturn && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') {
      afterReturn = text.endsWith('\r')
    }
    const parts = fresh.split(/\r\n|\n|\r/)
    const last = parts.pop() ?? ''
    for (const part of parts) {
      handOn(rest + part)
      rest = ''
    }
    rest = withoutFullParts(rest + last)
  }

  function handOn(line: string): void {
    onLine(inOneLine(withoutFullParts(line)))
  }

  function withoutFullParts(line: string): string {
    let left = line
    while (left.length > LONGEST_LINE) {
      const size = isHighSurrogate(left.charCodeAt(LONGEST_LINE - 1)) ? LONGEST_LINE - 1 : LONGEST_LINE
      onLine(inOneLine(left.slice(0, size)))
      left = left.slice(size)
    }
    return left
  }

  return {
    write,
    end() {
      if (rest !== '') {
        handOn(rest)
        rest = ''
      }
    },
  }
}

function inOneLine(text: string): string {
  return text.replaceAll('\0', '␀')
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
