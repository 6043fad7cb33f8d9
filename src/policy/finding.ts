import type { PolicyMode } from './mode.ts'

/** Where something stands in a Compose model: ['services', 'web', 'volumes', 0]. */
export type ModelPath = readonly (string | number)[]

/** One thing a file asks for that the host's policy refuses (`error`) or changes (`warning`). */
export interface Finding {
  readonly rule: string
  readonly severity: 'error' | 'warning'
  /** services.web.volumes[0] */
  readonly path: string
  readonly message: string
  readonly fix: string
  readonly file?: string
  /** From 1. */
  readonly line?: number
  readonly column?: number
}

export interface Words {
  readonly message: string
  readonly fix: string
}

/** A finding before its place in the files was looked up. */
export interface RawFinding extends Words {
  readonly rule: string
  readonly severity: 'error' | 'warning'
  readonly path: ModelPath
}

/** Collects findings: all at once, so that a person mends a file in one go. */
export interface Report {
  /** Not allowed; a host in the mode warn or trusted only says so. */
  deny(rule: string, path: ModelPath, words: Words): void
  /** Not allowed whatever the mode: paths that leave the checkout, code from elsewhere, the engine's socket. */
  refuse(rule: string, path: ModelPath, words: Words): void
  warn(rule: string, path: ModelPath, words: Words): void
  readonly findings: readonly RawFinding[]
}

export function createReport(mode: PolicyMode): Report {
  const findings: RawFinding[] = []
  const add = (severity: 'error' | 'warning') => (rule: string, path: ModelPath, words: Words) => {
    findings.push({ rule, severity, path, ...words })
  }
  return {
    deny: add(mode === 'enforce' ? 'error' : 'warning'),
    refuse: add('error'),
    warn: add('warning'),
    findings,
  }
}

/** The finding as one line of text, e.g. for a log or a check annotation. */
export function findingText(finding: Finding): string {
  const place = finding.file === undefined ? '' : `${finding.file}:${finding.line ?? 1}: `
  return `${place}${finding.rule} ${finding.path}: ${finding.message} ${finding.fix}`.trimEnd()
}

export function pathText(path: ModelPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('')
}
