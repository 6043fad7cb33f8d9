import { SLEEP_LABEL } from '#commands/container-data.ts'
import { TOKEN_PLACE } from '#commands/container-token.ts'
import { LONGEST_WATCH_MS } from '#commands/container-watch.ts'
import { revealedValue, texts } from './build-settings.ts'
import { milliseconds } from './container-settings.ts'
import { between, LONGEST_WITHIN_MS, type RunWants } from './container-wants.ts'
import { limitedBytes, limitedNumber, limitedTime, type NotebookLimits } from './notebook-limits.ts'
import { notebookPlaces } from './notebook-place.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'
import type { LookInput } from './target.ts'
import { probeOf, type VerifySettings } from './verify-settings.ts'

/** What every notebook image listens on. */
const PORT = 8888
const HOME = '/home/jovyan'
/** It answers without a token, and does not count as somebody's work. */
const ALIVE = 'api'
/** A server of notebooks is there after about a second, and somebody waits for it. */
const ASKED_EVERY_MS = 100
/** On a machine that has much else to do it takes minutes; one that ends does not have to be waited for. */
const USUAL_WITHIN = '300s'
/** What Voila answers with, whatever it answers. */
const STATIC = 'voila/static/'
const MIB = 1024 * 1024
const LEAST_MEMORY = 6 * MIB
const WITHOUT_WORK = ['reader', 'voila']

/** What the settings come to for one project; throws when they cannot be had. */
export function notebookWantsOf(input: LookInput<NotebookTargetSettings>): RunWants {
  const { settings, app } = input
  const { limits = {} } = input.notebooks ?? {}
  const { mode, verify } = settings
  if (mode === 'static') {
    throw APP_SETTING_WRONG(
      'mode',
      'static is a preview, and needs no app: take the project out, or choose another mode',
    )
  }
  const isShown = mode !== undefined && WITHOUT_WORK.includes(mode)
  const written = {
    ...Object.fromEntries((settings.secrets ?? []).map(variableName).map(name => [name, `$${name}`])),
    ...texts(settings.environment ?? {}),
  }
  const reserved = Object.keys(written).find(name => /^(?:JUPYTER|NB)_/.test(name))
  if (reserved !== undefined) {
    throw APP_SETTING_WRONG(
      `environment.${reserved}`,
      'names that begin with JUPYTER_ or NB_ are set by Fairlead',
    )
  }
  const memoryBytes = limitedBytes({
    ...{ setting: 'run.memory', asked: settings.memory, otherwise: '1g', most: limits.memory },
  })
  if (memoryBytes < LEAST_MEMORY) {
    throw APP_SETTING_WRONG('memory', 'a container needs at least 6m')
  }
  const cpus = limitedNumber({
    ...{ setting: 'run.cpus', asked: settings.cpus, otherwise: 1, most: limits.cpus },
  })
  const places = notebookPlaces(settings, app, input.notebooks)
  const base = places.prefix ?? '/'
  const alive = `${base}${ALIVE}`
  return {
    hosts: places.hosts,
    ...(places.prefix === undefined ? {} : { prefix: places.prefix }),
    probe:
      mode === 'voila'
        ? { path: `${base}${STATIC}`, expect: { from: 200, to: 499 } }
        : probeOf(below(base, verify), alive),
    guard: input.notebooks?.openAt ? { login: `${input.notebooks.openAt}${app.name}` } : {},
    holds: true,
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
        ...serverVariables(settings, base),
      },
      port: PORT,
      health: {
        // Voila has no path that tells its state; the check of its image knows.
        ...(mode === 'voila' ? {} : { http: alive, intervalMs: ASKED_EVERY_MS }),
        withinMs: between('verify.within', verify?.within ?? USUAL_WITHIN, LONGEST_WITHIN_MS),
      },
      // Old and new stand side by side for moments only, and people must find their work in both.
      volumes: isShown ? [] : [{ name: 'work', path: '/srv/work', shared: true }],
      ports: [],
      memoryBytes,
      cpus,
      pids: limitedNumber({
        ...{ setting: 'run.pids', asked: settings.pids, otherwise: 256, most: limits.pids },
      }),
      user: '1000:1000',
      ...((settings.read_only ?? isShown) ? { readOnly: true } : {}),
      sandbox: {
        memoryFolders: [
          { path: '/tmp', bytes: 512 * MIB },
          { path: HOME, uid: 1000, bytes: 256 * MIB },
        ],
        sharedMemoryBytes: limitedBytes({
          ...{ setting: 'run.shm', asked: settings.shm, otherwise: '128m', most: limits.shm },
        }),
        token: true,
      },
      labels: {
        'dev.nb.project': folderOf(settings),
        ...sleepLabels(settings, limits),
        ...(places.prefix === undefined ? {} : { [SLEEP_LABEL.base]: base }),
      },
      stopGraceSeconds: 10,
    },
  }
}

/** What a project wants to be asked is a path of its server, wherever that is. */
function below(base: string, verify: VerifySettings | undefined): VerifySettings | undefined {
  return verify?.http === undefined ? verify : { ...verify, http: `${base}${verify.http.slice(1)}` }
}

/** Names of variables have no other signs. */
function variableName(secret: string): string {
  return secret.replace(/[.-]/g, '_')
}

/** Whoever closed the browser and lets nothing compute needs no server. */
function sleepLabels({ idle = {} }: NotebookTargetSettings, limits: NotebookLimits): Record<string, string> {
  const seconds = (ms: number) => String(Math.ceil(ms / 1_000))
  const server = { setting: 'run.idle.server', asked: idle.server, otherwise: '2h', most: limits.idle }
  return {
    [SLEEP_LABEL.idle]: seconds(limitedTime(server)),
    ...(idle.max === undefined ? {} : { [SLEEP_LABEL.most]: seconds(milliseconds(idle.max)) }),
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

function serverVariables(
  { mode, entry, idle }: NotebookTargetSettings,
  base: string,
): Record<string, string> {
  return {
    JUPYTER_TOKEN_FILE: `${TOKEN_PLACE.folder}/${TOKEN_PLACE.name}`,
    NB_BASE_URL: base,
    ...(mode === undefined ? {} : { NB_MODE: mode }),
    ...(entry === undefined ? {} : { NB_ENTRY: entry }),
    ...(idle?.kernel === undefined
      ? {}
      : { NB_CULL_KERNEL_S: String(Math.ceil(milliseconds(idle.kernel) / 1000)) }),
  }
}
