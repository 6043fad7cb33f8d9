import type { CheckedNotebooks } from './check-notebooks.ts'
import { inertLine } from './inert.ts'
import type { Printer } from './print.ts'

/** As many lines of remarks as help; the whole list is in the answer for programs. */
const MAX_REMARKS = 20

/** The notebook projects of a folder, what each is made of, and what is wrong with them. */
export function printNotebooks(
  printer: Printer,
  { projects, problems, notes, would }: CheckedNotebooks,
): void {
  if (projects.length > 0) {
    printer.line(`${counted(projects.length, 'notebook project')}:`)
    printer.table(
      ['project', 'environment', 'kernel', 'notebooks', 'served'],
      projects.map(({ folder, environment = 'refused, see below', kernel = '', notebooks, serves }) => [
        inertLine(folder),
        environment === 'none' ? 'base image' : environment,
        kernel,
        String(notebooks),
        serves ? 'yes' : 'preview only',
      ]),
    )
    const gib = (would.memory_bytes / 1024 ** 3).toFixed(1)
    printer.line(
      `A push would make ${counted(would.servers, 'server')} with ${counted(would.environments, 'environment')} to build; awake they may have ${gib} GiB of memory.`,
    )
  }
  const remarks = [
    ...problems.map(({ file, line, message }) => ({ file, line, message, hint: '' })),
    ...projects.flatMap(({ folder, refused, warnings }) =>
      [...refused, ...warnings].map(({ file, line, message, hint }) => ({
        file: [folder === '.' ? undefined : folder, file].filter(part => part !== undefined).join('/'),
        line,
        message,
        hint,
      })),
    ),
    ...notes,
  ]
  for (const { file, line, message, hint } of remarks.slice(0, MAX_REMARKS)) {
    const place = [file || '.', line].filter(part => part !== undefined).join(':')
    printer.note(inertLine(`${place} ${message} ${hint}`.trimEnd()))
  }
  if (remarks.length > MAX_REMARKS) {
    printer.note(`… and ${remarks.length - MAX_REMARKS} more; --json has them all.`)
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
