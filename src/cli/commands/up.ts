import { mkdirSync } from 'node:fs'
import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { type CliConfig, readCliConfig } from '#cli/config.ts'
import { whyNotFree } from '#cli/demo/free-port.ts'
import { SETTING_MISSING } from '#cli/deployer-errors.ts'
import { ADDRESS_NOT_USABLE, PART_ENDED, PORT_IN_USE } from '#cli/errors.ts'
import { type FoundProxy, findProxy } from '#cli/find-proxy.ts'
import { programOf, type Session } from '#cli/session.ts'
import { startTogether, type Together } from '#cli/together.ts'
import { type UpOptions, upOptions, withUpOptions } from '#cli/up-options.ts'
import { makeWeb } from '#cli/web-build.ts'
import type { FirstStartCode } from '#contract/rest/people.ts'
import { hostnameForApps } from '#lib/orchestrator-settings.ts'

export function configureUp(command: Command, act: Act): void {
  withUpOptions(command).action(act(up))
  command.addHelpText(
    'after',
    '\nEvery other setting comes from the environment, such as a registry with FAIRLEAD_REGISTRY; docs/running.md has all.',
  )
  withExamples(command, [
    ['fairlead up', 'to try it: everything on this machine only'],
    ['fairlead up --public --base-domain apps.example.org', 'apps for everybody, with certificates'],
  ])
}

async function up(session: Session, given: Parameters<typeof upOptions>[0]): Promise<void> {
  const { dataFolder: folder, environment } = session.config
  refuseHalfDeployer(environment)
  const options = upOptions(given)
  const baseDomain = options.baseDomain ?? hostnameForApps(environment) ?? 'localhost'
  await refuseTakenPorts(options)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  makeWeb(text => session.printer.note(text))
  await using stack = new AsyncDisposableStack()
  const proxy = await findProxy({ folder, listen: options.visitors, environment })
  stack.defer(proxy.close)
  const together = await startTogether({
    folder,
    clock: session.clock,
    environment,
    managerPort: options.api.port,
    listen: options.api.host,
    workerPort: options.worker.port,
    workerListen: options.worker.host,
    baseDomain,
    allowPrivate: options.allowPrivate,
    proxy,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
  })
  stack.defer(together.close)
  say(session, { baseDomain, proxy, together, first: await offerFirst(together) })
  await untilEnd(session, together)
  session.printer.line('\nStopping; apps keep running.')
}

/** Signed calls for stacks that nobody could deploy, or stacks for which nobody could call: one of both was forgotten. */
function refuseHalfDeployer(environment: Readonly<Record<string, string>>): void {
  const { DEPLOY_SECRET, DEPLOY_SECRET_FILE, STACKS_ROOT } = environment
  const hasSecret = (DEPLOY_SECRET ?? DEPLOY_SECRET_FILE) !== undefined
  if (hasSecret !== (STACKS_ROOT !== undefined)) {
    throw hasSecret
      ? SETTING_MISSING('STACKS_ROOT', 'DEPLOY_SECRET')
      : SETTING_MISSING('DEPLOY_SECRET', 'STACKS_ROOT')
  }
}

async function refuseTakenPorts({ api, worker }: UpOptions): Promise<void> {
  for (const [wanted, what] of [[api, 'manager'] as const, [worker, 'worker'] as const]) {
    const { host, port } = wanted
    const reason = await whyNotFree(port, host)
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    if (reason === 'EADDRINUSE') {
      throw PORT_IN_USE(address, what)
    }
    if (reason !== undefined) {
      throw ADDRESS_NOT_USABLE(address, what, reason)
    }
  }
}

interface Started {
  readonly baseDomain: string
  readonly proxy: FoundProxy
  readonly together: Together
  /** Set while nobody has an account. */
  readonly first: FirstStartCode | undefined
}

async function offerFirst({ client }: Together): Promise<FirstStartCode | undefined> {
  const { first_start: isFirst } = await client.get<{ first_start: boolean }>('/sign-in')
  return isFirst ? await client.send<FirstStartCode>('POST', '/first-start/code') : undefined
}

function say({ printer, config }: Session, { baseDomain, proxy, together, first }: Started): void {
  const { colour } = printer
  const port = proxy.httpPort === 80 ? '' : `:${proxy.httpPort}`
  const apps = `http://<app>.${baseDomain}${port}`
  printer.answer({
    url: together.url,
    token_file: together.tokenFile,
    apps,
    proxy: proxy.adminUrl,
    data: config.dataFolder,
    manager_pid: together.manager.pid,
    worker_pid: together.worker.pid,
    first_start: first ? { url: first.url, code: first.code } : null,
  })
  const caddy = proxy.ours === 'started' ? 'a Caddy of our own' : 'the Caddy that was running'
  const program = programOf(config)
  for (const line of [
    colour.bold('Fairlead is up.'),
    '',
    `  Web       ${together.url}   reference of its API: ${together.url}/api/v1/docs`,
    `  Token     ${together.tokenFile}`,
    `  Apps      ${apps}   (${caddy})`,
    `  Data      ${config.dataFolder}   logs: manager/manager.log, worker/worker.log`,
    '',
    ...(first
      ? [
          `Nobody has an account yet. Open ${first.url} and type in ${colour.bold(first.code)}`,
          colour.dim(`The code holds for ten minutes; "${program} people first" gives another one.`),
          '',
        ]
      : []),
    'Next, in another terminal:',
    ...settingsElsewhere(config, together).map(words => `  export ${words}`),
    `  ${program} repositories add site https://github.com/you/site.git`,
    `  ${program} status`,
    '',
    colour.dim(
      `Ctrl-C stops ${proxy.ours === 'started' ? 'manager, worker and proxy' : 'manager and worker'}; apps keep running.`,
    ),
  ]) {
    printer.line(line)
  }
}

/** What another terminal has to know to find this manager and its token: nothing when all is as usual. */
function settingsElsewhere(config: CliConfig, { url, tokenFile }: Together): string[] {
  const usual = readCliConfig(
    {},
    { HOME: config.environment.HOME, XDG_DATA_HOME: config.environment.XDG_DATA_HOME },
  )
  const words = [
    ...(url === usual.managerUrl ? [] : [`FAIRLEAD_MANAGER=${url}`]),
    ...(tokenFile === usual.tokenFile ? [] : [`FAIRLEAD_TOKEN_FILE=${tokenFile}`]),
  ]
  return words.length === 0 ? [] : [words.join(' ')]
}

/** Until Ctrl-C; a part that ends by itself is an error. */
async function untilEnd({ signal }: Session, { manager, worker }: Together): Promise<void> {
  const asked = new Promise<'asked'>(resolve => {
    if (signal.aborted) {
      resolve('asked')
    }
    signal.addEventListener('abort', () => resolve('asked'), { once: true })
  })
  const first = await Promise.race([
    asked,
    manager.ended.then(how => ({ part: 'manager', how, log: manager.logFile })),
    worker.ended.then(how => ({ part: 'worker', how, log: worker.logFile })),
  ])
  if (first !== 'asked') {
    throw PART_ENDED(first.part, first.how, first.log)
  }
}
