import type { CheckedNotebooks } from './check-notebooks.ts'
import { inertLine } from './inert.ts'
import type { Printer } from './print.ts'

/** As many lines of remarks as help; the whole list is in the answer for programs. */
const MAX_REMARKS = 20

/** The notebook projects of a folder, what each is made of, and what is wrong with them. */
export function printNotebooks(printer: Printer, { projects, problems, notes }: CheckedNotebooks): void {
  if (projects.length > 0) {
    const count = projects.length === 1 ? '1 notebook project' : `${projects.length} notebook projects`
    printer.line(`${count}, which this version finds but does not deploy:`)
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
