/** One line of a deployment's log. `seq` counts from 1 within the deployment. */
export interface DeploymentLine {
  readonly seq: number
  readonly at: number
  readonly step: string
  readonly stream: 'stdout' | 'stderr' | 'info'
  readonly text: string
  /** The command it came from and its number there, so that a resumed stream stores no line twice. */
  readonly command?: string
  readonly commandSeq?: number
}

/** First line of a further file of a log: how far each command's lines were stored, whatever files are gone by then. */
export interface LogHeader {
  readonly commandSeqs: Readonly<Record<string, number>>
}

/** Stands for lines that are not kept; it has the number of the last of them, so that a reader goes on after it. */
export function cutMark(next: DeploymentLine, missing: number): DeploymentLine {
  const text = `… ${missing} lines are left out here: of a long log its beginning and its end are kept …`
  return { seq: next.seq - 1, at: next.at, step: next.step, stream: 'info', text }
}
