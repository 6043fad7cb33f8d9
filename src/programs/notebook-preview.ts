import { join } from 'node:path'
import type { ProgramCall } from '#exec/call.ts'

const TIMEOUT_MS = 20_000
const MOST_MEMORY_MB = 512
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024
/** As sources or in a bundle, where it lies beside the worker. */
const IS_SOURCE = import.meta.filename.endsWith('.ts')
const PROGRAM = IS_SOURCE
  ? join(import.meta.dirname, '../previews/main.ts')
  : join(import.meta.dirname, 'preview.js')

/** Renders a notebook in a process that may read its own program only: no other file, no network, no other process. */
export function renderPreview(notebook: string): ProgramCall<string> {
  return {
    kind: 'program',
    program: 'node',
    args: [
      '--permission',
      `--allow-fs-read=${IS_SOURCE ? '*' : import.meta.dirname}`,
      `--max-old-space-size=${MOST_MEMORY_MB}`,
      PROGRAM,
    ],
    env: {},
    input: notebook,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MOST_OUTPUT_BYTES,
    read: ({ stdout }) => stdout,
  }
}
