import type { CiSystem } from './config.ts'

/** How the log of a CI system is told where a group begins, where it ends, and what failed. */
export interface CiDialect {
  /** Text from anywhere as the system shows it without obeying it; lines stay lines. */
  quiet(text: string): string
  groupStart(name: string, at: number): string
  groupEnd(name: string, at: number): string
  /** A failure that the system shows beside the log as well, where it can. */
  annotation(title: string, text: string): string | undefined
}

export function dialectOf(system: CiSystem): CiDialect {
  return system === 'github' ? GITHUB : GITLAB
}

/**
 * The runner obeys a line that begins with `::`, after any blanks, and, from its early days, `##[` anywhere in a line.
 * A build can print both, so everything that is not our own command goes through `quiet`.
 */
const GITHUB: CiDialect = {
  quiet: text =>
    text
      .replace(/\r\n?/g, '\n')
      .replaceAll('##[', '# #[')
      .replace(/^(\s*)::/gm, '$1: :'),
  groupStart: name => `::group::${githubData(name)}`,
  groupEnd: () => '::endgroup::',
  annotation: (title, text) => `::error title=${githubProperty(title)}::${githubData(text)}`,
}

/** Marks of a section are only obeyed with a carriage return and an escape sequence, which no other text gets through. */
const GITLAB: CiDialect = {
  quiet: text => text.replace(/\r\n?/g, '\n').replaceAll('\x1b', ''),
  groupStart: (name, at) =>
    `\x1b[0Ksection_start:${inSeconds(at)}:${sectionName(name)}[collapsed=true]\r\x1b[0K${GITLAB.quiet(name)}`,
  groupEnd: (name, at) => `\x1b[0Ksection_end:${inSeconds(at)}:${sectionName(name)}\r\x1b[0K`,
  annotation: () => undefined,
}

function githubData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function githubProperty(text: string): string {
  return githubData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function sectionName(name: string): string {
  return `fairlead_${name.replace(/[^a-zA-Z0-9_.-]/g, '_')}`
}

function inSeconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
