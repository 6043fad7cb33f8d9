import { SLEEP_LABEL } from '#commands/container-data.ts'
import { TOKEN_PLACE } from '#commands/container-token.ts'
import { LONGEST_WATCH_MS } from '#commands/container-watch.ts'
import { revealedValue, texts } from './build-settings.ts'
import { bytes, milliseconds } from './container-settings.ts'
import { between, domainsOf, LONGEST_WITHIN_MS, memoryOf, type RunWants } from './container-wants.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'
import type { LookInput } from './target.ts'
import { probeOf } from './verify-settings.ts'

/** What every notebook image listens on. */
const PORT = 8888
const HOME = '/home/jovyan'
/** It answers without a token, and does not count as somebody's work. */
const ALIVE = '/api'
/** What Voila answers with, whatever it answers. */
const STATIC = '/voila/static/'
const MIB = 1024 * 1024
const WITHOUT_WORK = ['reader', 'voila']

/** What the settings come to for one project; throws when they cannot be had. */
export function notebookWantsOf(input: LookInput<NotebookTargetSettings>): RunWants {
  const { settings, app } = input
  const { mode, verify } = settings
  if (mode === 'static') {
    throw APP_SETTING_WRONG(
      'mode',
      'static is a preview, and needs no app: take the project out, or choose another mode',
    )
  }
  const isShown = mode !== undefined && WITHOUT_WORK.includes(mode)
  const written = {
    ...Object.fromEntries((settings.secrets ?? []).map(name => [name, `$${name}`])),
    ...texts(settings.environment ?? {}),
  }
  const reserved = Object.keys(written).find(name => /^(?:JUPYTER|NB)_/.test(name))
  if (reserved !== undefined) {
    throw APP_SETTING_WRONG(
      `environment.${reserved}`,
      'names that begin with JUPYTER_ or NB_ are set by Fairlead',
    )
  }
  const memoryBytes = memoryOf(settings.memory ?? '1g')
  const cpus = settings.cpus ?? 1
  return {
    hosts: domainsOf(settings, app),
    probe: mode === 'voila' ? { path: STATIC, expect: { from: 200, to: 499 } } : probeOf(verify, ALIVE),
    guard: input.notebooks?.openAt ? { login: `${input.notebooks.openAt}${app.name}` } : {},
    writtenEnvironment: written,
    drainMs: milliseconds(settings.drain ?? '5s'),
    watchMs: between('verify.settle', verify?.settle ?? '0s', LONGEST_WATCH_MS),
    run: {
      environment: {
        ...Object.fromEntries(
          Object.entries(written).map(([key, value]) => [
            key,
            revealedValue(input, value, `environment.${key}`),
          ]),
        ),
        ...limitsAsVariables({ memoryBytes, cpus }),
        ...serverVariables(settings),
      },
      port: PORT,
      health: {
        // Voila has no path that tells its state; the check of its image knows.
        ...(mode === 'voila' ? {} : { http: ALIVE }),
        withinMs: between('verify.within', verify?.within ?? '120s', LONGEST_WITHIN_MS),
      },
      // Old and new stand side by side for moments only, and people must find their work in both.
      volumes: isShown ? [] : [{ name: 'work', path: '/srv/work', shared: true }],
      ports: [],
      memoryBytes,
      cpus,
      pids: settings.pids ?? 256,
      user: '1000:1000',
      ...((settings.read_only ?? isShown) ? { readOnly: true } : {}),
      sandbox: {
        memoryFolders: [
          { path: '/tmp', bytes: 512 * MIB },
          { path: HOME, uid: 1000, bytes: 256 * MIB },
        ],
        sharedMemoryBytes: bytes(settings.shm ?? '128m'),
        token: true,
      },
      labels: { 'dev.nb.project': folderOf(settings), ...sleepLabels(settings) },
      stopGraceSeconds: 10,
    },
  }
}

/** Whoever closed the browser and lets nothing compute needs no server. */
function sleepLabels({ idle = {} }: NotebookTargetSettings): Record<string, string> {
  const seconds = (text: string) => String(Math.ceil(milliseconds(text) / 1_000))
  return {
    [SLEEP_LABEL.idle]: seconds(idle.server ?? '2h'),
    ...(idle.max === undefined ? {} : { [SLEEP_LABEL.most]: seconds(idle.max) }),
  }
}

/** From the root of the repository; `.` is the root. */
export function folderOf({ folder, path }: NotebookTargetSettings): string {
  const wanted = folder ?? path
  if (wanted === undefined) {
    throw APP_SETTING_WRONG('path', 'it is missing: the folder of the notebook project')
  }
  return wanted.replace(/^\.\/(?=.)|\/+$/g, '') || '.'
}

/** Libraries that start a thread for each processor of the machine would only wait for each other. */
function limitsAsVariables({ memoryBytes, cpus }: { readonly memoryBytes: number; readonly cpus: number }) {
  const threads = String(Math.ceil(cpus))
  return {
    MEM_LIMIT: String(memoryBytes),
    CPU_LIMIT: String(cpus),
    OMP_NUM_THREADS: threads,
    OPENBLAS_NUM_THREADS: threads,
  }
}

function serverVariables({ mode, entry, idle }: NotebookTargetSettings): Record<string, string> {
  return {
    JUPYTER_TOKEN_FILE: `${TOKEN_PLACE.folder}/${TOKEN_PLACE.name}`,
    NB_BASE_URL: '/',
    ...(mode === undefined ? {} : { NB_MODE: mode }),
    ...(entry === undefined ? {} : { NB_ENTRY: entry }),
    ...(idle?.kernel === undefined
      ? {}
      : { NB_CULL_KERNEL_S: String(Math.ceil(milliseconds(idle.kernel) / 1000)) }),
  }
}
