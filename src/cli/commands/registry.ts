import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { Command } from 'commander'
import { type Act, withExamples } from '#cli/command.ts'
import { readFileText } from '#cli/credential.ts'
import { selfSignedCertificate } from '#cli/demo/certificate.ts'
import { readTimeout } from '#cli/duration.ts'
import { EXIT } from '#cli/exit-codes.ts'
import { inertLine } from '#cli/inert.ts'
import { passwordHash } from '#cli/password-hash.ts'
import { collectRegistry } from '#cli/registry-collect.ts'
import { reportDeployment } from '#cli/report-deployment.ts'
import type { Session } from '#cli/session.ts'
import { parsePort } from '#cli/up-options.ts'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type {
  RegistryDocument,
  RegistryRequested,
  RegistryWish,
  TrustDocument,
} from '#contract/rest/registry.ts'

const RENEW_BEFORE_MS = 30 * 86_400_000

export function configureRegistry(command: Command, act: Act): void {
  command
    .command('up')
    .description('runs a registry with TLS and a password on a host, and lets deployments push there')
    .option('--name <host>', 'host name or address that clients use; needed the first time')
    .option('--also <hosts...>', 'further names and addresses for the certificate that is made')
    .option('--port <port>', 'port of the host, default 5000', parsePort)
    .option('--host <host>', 'which worker; needed when there are several')
    .option('--image <image>', 'image of the registry, default registry:2')
    .option('--username <name>', 'its account, default fairlead')
    .option('--password-file <file>', 'its password; default: a new one, which is shown once')
    .option('--cert <file>', 'your own certificate with its chain (PEM); default: one that signs itself')
    .option('--key <file>', 'its key')
    .option('--authority <file>', 'its authority, where hosts do not know it')
    .option('--app <name>', 'name of the app and the container, default registry')
    .action(act(up))
  command.command('status').description('which registry deployments push to').action(act(status))
  command
    .command('trust')
    .description("lets the workers' engines trust its certificate, and services pull with its account")
    .option('--host <host>', 'only this one')
    .action(act(trust))
  command
    .command('certificate')
    .description('prints what clients have to trust: /etc/docker/certs.d/<host:port>/ca.crt')
    .action(act(certificate))
  command
    .command('passwd')
    .description('gives its account a new password, which deployments use at once')
    .option('--password-file <file>', 'the password; default: a new one, which is shown once')
    .action(act(passwd))
  command
    .command('collect')
    .description('deletes images that nothing names, and their layers')
    .option('--dry-run', 'only says what would go, what stays, and why')
    .option('--older-than <duration>', 'younger images stay; default 1h', readTimeout)
    .action(act(collectRegistry))
  command
    .command('down')
    .description('takes it down; its images stay unless --delete-images')
    .option('--delete-images', 'deletes all images in it: releases that only it has cannot come back')
    .action(act(down))
  withExamples(command, [
    ['fairlead registry up --name registry.example.org', 'makes it, trusts it, pushes there from now on'],
    ['fairlead registry up --cert c.pem --key k.pem', 'another certificate'],
    ['fairlead registry certificate > ca.crt', 'for a machine that is no worker'],
  ])
}

interface UpOptions {
  readonly name?: string
  readonly also?: readonly string[]
  readonly port?: number
  readonly host?: string
  readonly image?: string
  readonly username?: string
  readonly passwordFile?: string
  readonly cert?: string
  readonly key?: string
  readonly authority?: string
  readonly app?: string
}

async function up(session: Session, options: UpOptions): Promise<number> {
  const before = await session.client.get<RegistryDocument>('/registry')
  const { app, host, name, port, image, username } = options
  const account = await accountFor(options, before.app === null)
  const wish: RegistryWish = {
    ...without({ app, host, name, port, image, username }),
    ...account.wish,
    ...(await certificateFor(session, options, before)),
  }
  return await put(session, wish, account.shown)
}

async function passwd(session: Session, options: { readonly passwordFile?: string }): Promise<number> {
  const account = await accountFor(options, true)
  return await put(session, account.wish, account.shown)
}

/** The password is shown when it counts, once: it is kept sealed and nobody can ask for it. */
async function put(session: Session, wish: RegistryWish, shown: string | undefined): Promise<number> {
  const { client, printer } = session
  const { deployment } = await client.send<RegistryRequested>('PUT', '/registry', wish)
  const code = await reportDeployment(session, deployment, { wait: true })
  if (code !== EXIT.ok) {
    return code
  }
  const { address, username } = await client.get<RegistryDocument>('/registry')
  printer.line(`Deployments push to ${address}. Other machines: docker login ${address} -u ${username}`)
  if (shown !== undefined) {
    printer.note(`Its password, shown this once: ${shown}`)
  }
  sayTrust(session, await client.send<TrustDocument>('POST', '/registry/trust', {}))
  return code
}

async function accountFor(
  { passwordFile }: { readonly passwordFile?: string },
  isNeeded: boolean,
): Promise<{ wish: Pick<RegistryWish, 'password' | 'password_hash'>; shown?: string }> {
  if (passwordFile === undefined && !isNeeded) {
    return { wish: {} }
  }
  if (passwordFile !== undefined) {
    const password = readFileText(passwordFile).replace(/\n$/, '')
    return { wish: { password, password_hash: await passwordHash(password, 'chosen') } }
  }
  const password = randomBytes(24).toString('base64url')
  return { wish: { password, password_hash: await passwordHash(password, 'random') }, shown: password }
}

/** A given one; else one that signs itself, where there is none for this name that lasts for a while. */
async function certificateFor(
  { clock }: Session,
  { cert, key, authority, name, also = [] }: UpOptions,
  before: RegistryDocument,
): Promise<Pick<RegistryWish, 'certificate' | 'key' | 'authority'>> {
  if (cert !== undefined) {
    return {
      certificate: readFileText(cert),
      ...(key === undefined ? {} : { key: readFileText(key) }),
      ...(authority === undefined ? {} : { authority: readFileText(authority) }),
    }
  }
  const known = before.address?.replace(/:\d+$/, '')
  const wanted = name ?? known
  const endsAt = before.app === null ? 0 : Date.parse(before.app.certificate_ends_at)
  const lasts = endsAt - clock.now() > RENEW_BEFORE_MS
  if (wanted === undefined || (lasts && wanted === known && also.length === 0)) {
    return {}
  }
  return await selfSignedCertificate([wanted, ...also.filter(each => isIP(each) !== 0 || each !== wanted)])
}

async function status({ client, printer }: Session): Promise<void> {
  const registry = await client.get<RegistryDocument>('/registry')
  printer.answer(registry)
  const { address, username, configured_by, app } = registry
  if (address === null) {
    printer.line(
      app === null
        ? 'There is no registry: images stay on their hosts. "fairlead registry up --name HOST" makes one.'
        : `The registry "${app.name}" on ${app.host} has not been brought up: "fairlead deploy ${app.name}".`,
    )
    return
  }
  printer.line(`Deployments push to ${address} as ${username}, as the ${configured_by} says.`)
  if (app !== null) {
    const seen = (await client.get<AppDocument>(`/apps/${app.name}`)).observed
    printer.line(`  app ${app.name} on ${app.host} (${app.image}): ${seen.state}${reason(seen.reason)}`)
    printer.line(
      `  certificate ends ${app.certificate_ends_at.slice(0, 10)}; "fairlead registry up" renews it`,
    )
  }
}

function reason(text: string | null): string {
  return text === null ? '' : `, ${text}`
}

async function trust(session: Session, { host }: { readonly host?: string }): Promise<void> {
  const answer = await session.client.send<TrustDocument>('POST', '/registry/trust', without({ host }))
  session.printer.answer(answer)
  sayTrust(session, answer)
}

function sayTrust({ printer }: Session, { items }: TrustDocument): void {
  for (const { host, file, problem, hint, engines } of items) {
    const well = file === null ? 'needs nothing more' : `trusts it (${file})`
    sayWhether(printer, host, { well, problem, hint })
    const services = engines.flatMap(each => each.services)
    if (services.length > 0) {
      printer.line(`  services that pull with its account from now on: ${services.join(', ')}`)
    }
    for (const engine of engines.slice(1)) {
      sayWhether(printer, `${host}, engine ${engine.name}`, { well: 'trusts it', ...engine })
    }
  }
}

interface Whether {
  readonly well: string
  readonly problem: string | null
  readonly hint: string | null
}

function sayWhether(printer: Session['printer'], who: string, { well, problem, hint }: Whether): void {
  printer.line(`${who}: ${problem === null ? well : `does not: ${inertLine(problem)}`}`)
  if (hint !== null) {
    printer.line(`  ${hint}`)
  }
}

async function certificate({ client, printer }: Session): Promise<void> {
  const { authority } = await client.get<RegistryDocument>('/registry')
  printer.answer({ authority })
  if (authority !== null) {
    printer.line(authority.trimEnd())
  }
}

async function down(session: Session, options: { readonly deleteImages?: boolean }): Promise<number> {
  const { client, printer } = session
  const { app } = await client.get<RegistryDocument>('/registry')
  if (app === null) {
    printer.answer({ removed: null })
    printer.line('Fairlead runs no registry.')
    return EXIT.ok
  }
  const query = options.deleteImages === true ? '?volumes=delete' : ''
  const deployment = await client.send<DeploymentDocument | undefined>('DELETE', `/apps/${app.name}${query}`)
  return deployment === undefined ? EXIT.ok : await reportDeployment(session, deployment, { wait: true })
}

function without<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
