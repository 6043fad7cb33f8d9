import { type Static, Type } from 'typebox'
import { createExec, exitCodeOfExec, startExec } from '#programs/docker-exec.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName } from './container-data.ts'
import { containersOf } from './container-siblings.ts'
import { NOTEBOOK_LABEL } from './notebook-images.ts'

const strict = { additionalProperties: false } as const
const MOST_LINES = 2_000
const LONGEST_LINE = 500
const MOST_CHARACTERS = 100_000
/** Nobody waits for it, and a machine may be busy. */
const READ_MS = 5 * 60_000

/** What asks an environment which packages it has, by what it was made of. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  conda: ['micromamba', 'env', 'export', '--prefix', '/opt/env-conda'],
  r: [
    'Rscript',
    '--vanilla',
    '-e',
    'p <- installed.packages(); writeLines(sort(unique(paste0(p[, "Package"], "==", p[, "Version"]))))',
  ],
  julia: [
    'julia',
    '--startup-file=no',
    '-e',
    'print(read(joinpath(dirname(Base.active_project()), "Manifest.toml"), String))',
  ],
}
const PIP = ['/opt/env/bin/python', '-m', 'pip', 'freeze', '--all']

const PackagesData = Type.Object(
  {
    app: AppName,
    /** Key of its image: an older server of the same app may have another one. */
    environment: Type.String({ minLength: 1, maxLength: 100 }),
    pack: Type.String({ pattern: '^[a-z0-9-]{1,20}$' }),
  },
  strict,
)

export const NotebookPackages = Type.Object(
  {
    /** What was run, in words. */
    tool: Type.String(),
    /** When they were read, ms since 1970. */
    readAt: Type.Integer(),
    /** As it printed them. */
    lines: Type.Array(Type.String({ maxLength: LONGEST_LINE }), { maxItems: MOST_LINES }),
    /** There were more. */
    isCut: Type.Boolean(),
  },
  strict,
)
export type NotebookPackages = Static<typeof NotebookPackages>

const PackagesResult = Type.Object(
  {
    packages: Type.Union([NotebookPackages, Type.Null()]),
    /** false: no server of this environment runs now, so nobody could be asked. */
    runs: Type.Boolean(),
  },
  strict,
)

export const notebookPackages = defineCommand({
  name: 'notebook.packages',
  summary: 'Reads which packages the environment of a running notebook server has, each with its version.',
  role: 'worker',
  looksOnly: true,
  data: PackagesData,
  result: PackagesResult,
  deadlineMs: READ_MS + 60_000,
  async run(hands, data) {
    const { environment } = data
    const container = (await containersOf(hands, data.app)).find(
      ({ state, labels }) => state === 'running' && labels[NOTEBOOK_LABEL.environment] === environment,
    )
    const packages = container && (await read(hands, container.id, data))
    return { packages: packages ?? null, runs: packages !== undefined }
  },
})

/** Null: its own tool cannot tell; undefined: it has just ended. */
async function read(
  hands: Hands,
  container: string,
  { pack }: Static<typeof PackagesData>,
): Promise<NotebookPackages | null | undefined> {
  const { dockerSocket } = hands.host
  const program = PROGRAMS[pack] ?? PIP
  const exec = await hands.perform(createExec(dockerSocket, container, program))
  if (!exec) {
    return undefined
  }
  const lines: string[] = []
  let room = MOST_CHARACTERS
  let isCut = false
  await hands.perform(
    startExec(dockerSocket, exec.id, {
      timeoutMs: READ_MS,
      onLine: (text, stream) => {
        const line = text.slice(0, LONGEST_LINE)
        if (stream === 'stderr') {
          return
        }
        isCut ||= lines.length >= MOST_LINES || line.length > room
        if (!isCut) {
          lines.push(line)
          room -= line.length
        }
      },
    }),
  )
  const tool = program.slice(0, program === PIP ? undefined : 1).join(' ')
  const exitCode = await hands.perform(exitCodeOfExec(dockerSocket, exec.id))
  if (exitCode !== 0) {
    hands.say(`its packages cannot be read: ${tool} ends with exit code ${exitCode}`, 'stderr')
    return null
  }
  return { tool, readAt: hands.clock.now(), lines, isCut }
}
