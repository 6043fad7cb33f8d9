import { mkdirSync } from 'node:fs'
import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { isFree } from '#cli/demo/free-port.ts'
import { PART_ENDED, PORT_IN_USE } from '#cli/errors.ts'
import { type FoundProxy, findProxy } from '#cli/find-proxy.ts'
import type { Session } from '#cli/session.ts'
import { startTogether, type Together } from '#cli/together.ts'

interface Options {
  readonly port: number
  readonly workerPort: number
  readonly baseDomain: string
  readonly listen: string
  readonly publicUrl?: string
  readonly public?: boolean
  readonly allowPrivate: string
}

export function configureUp(command: Command, act: Act): void {
  command
    .option('--base-domain <domain>', 'apps without a domain get <app>.<domain>', 'localhost')
    .option('--public', 'other machines may visit the apps; public domains get public certificates')
    .option('--listen <address>', 'where the API listens', '127.0.0.1')
    .option('--public-url <url>', 'where Git hosts reach the API, for webhooks')
    .option('--port <port>', 'of the API', Number, 7400)
    .option('--worker-port <port>', 'of the worker, for the manager only', Number, 7443)
    .option('--allow-private <cidrs>', 'private networks where Git servers may be, separated by commas', '')
    .action(act(up))
  command.addHelpText(
    'after',
    '\nA registry is set with FAIRLEAD_REGISTRY, FAIRLEAD_REGISTRY_USERNAME, FAIRLEAD_REGISTRY_PASSWORD_FILE and\nFAIRLEAD_REGISTRY_CA_FILE.',
  )
  withExamples(command, [
    ['fairlead up', 'to try it: everything on this machine only'],
    ['fairlead up --public --base-domain apps.example.org', 'apps for everybody, with certificates'],
  ])
}

async function up(session: Session, options: Options): Promise<void> {
  const folder = session.config.dataFolder
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await refuseTakenPorts(options)
  await using stack = new AsyncDisposableStack()
  const proxy = await findProxy({ folder, listen: options.public === true ? 'everywhere' : 'loopback' })
  stack.defer(proxy.close)
  const together = await startTogether({
    folder,
    clock: session.clock,
    environment: inherited(session.config.environment),
    managerPort: options.port,
    workerPort: options.workerPort,
    listen: options.listen,
    baseDomain: options.baseDomain,
    allowPrivate: options.allowPrivate.split(',').filter(cidr => cidr !== ''),
    proxy,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
  })
  stack.defer(together.close)
  say(session, { options, proxy, together })
  await untilEnd(session, together)
  session.printer.line('\nStopping; apps keep running.')
}

async function refuseTakenPorts({ port, workerPort }: Options): Promise<void> {
  for (const [wanted, what] of [[port, 'manager'] as const, [workerPort, 'worker'] as const]) {
    if (!(await isFree(wanted))) {
      throw PORT_IN_USE(wanted, what)
    }
  }
}

/** What the parts may know of the caller's environment: the CLI's own settings would be unknown to them. */
function inherited(environment: Readonly<Record<string, string>>): Record<string, string> {
  const known =
    /^(PATH|HOME|LANG|LC_ALL|TZ|DOCKER_HOST|HTTPS?_PROXY|NO_PROXY|SSL_CERT_FILE|FAIRLEAD_(REGISTRY|TRUSTED|CONCURRENCY|DOCKER_SOCKET|RESOLVER|NETWORK|SUBNET|WORKER_NAME).*)$/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => known.test(name)))
}

interface Started {
  readonly options: Options
  readonly proxy: FoundProxy
  readonly together: Together
}

function say(session: Session, { options, proxy, together }: Started): void {
  const { printer, config } = session
  const { colour } = printer
  const port = proxy.httpPort === 80 ? '' : `:${proxy.httpPort}`
  const apps = `http://<app>.${options.baseDomain}${port}`
  printer.answer({
    url: together.url,
    token_file: together.tokenFile,
    apps,
    proxy: proxy.adminUrl,
    data: config.dataFolder,
    manager_pid: together.manager.pid,
    worker_pid: together.worker.pid,
  })
  const caddy = proxy.ours === 'started' ? 'a Caddy of our own' : 'the Caddy that was running'
  for (const line of [
    colour.bold('Fairlead is up.'),
    '',
    `  API       ${together.url}   reference: ${together.url}/api/v1/docs`,
    `  Token     ${together.tokenFile}`,
    `  Apps      ${apps}   (${caddy})`,
    `  Data      ${config.dataFolder}   logs: manager/manager.log, worker/worker.log`,
    '',
    'Next, in another terminal:',
    `  fairlead repositories add site https://github.com/you/site.git${config.dataFolder === defaultData(session) ? '' : `   (with FAIRLEAD_DATA=${config.dataFolder})`}`,
    '  fairlead status',
    '',
    colour.dim(
      `Ctrl-C stops manager${proxy.ours === 'started' ? ', worker and proxy' : ' and worker'}; apps keep running.`,
    ),
  ]) {
    printer.line(line)
  }
}

function defaultData({ config }: Session): string {
  const { XDG_DATA_HOME, HOME } = config.environment
  return `${XDG_DATA_HOME ?? `${HOME}/.local/share`}/fairlead`
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
