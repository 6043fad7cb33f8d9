import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TSchema } from 'typebox'
import { COMMANDS } from '#commands/index.ts'
import { AGENT_FRAMES, MANAGER_FRAMES } from '#contract/agent-frames.ts'
import { deployFileJsonSchema } from '#deploy-file/json-schema.ts'
import { GIT_HOSTS } from '#git-hosts/index.ts'
import { samplesOf } from '#git-hosts/test-deliveries.ts'
import { systemClock } from '#lib/clock.ts'
import type { ErrorDefinition } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import { SETTINGS, type Setting, settingsOf } from '#lib/settings.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { describeApi } from '#manager/server.ts'
import { TARGETS } from '#targets/index.ts'
import { cliPage } from './cli-page.ts'
import { withSamples } from './policy-table.ts'

/** Writes the generated pages of docs/; with --check only says which are stale and fails. */
const ROOT = join(import.meta.dirname, '..')
/** Describing the routes asks none of the manager's parts for anything but these. */
const DESCRIBED = {
  clock: systemClock,
  logger: silentLogger,
  sealer: createSealer(Buffer.alloc(32)),
} as unknown as ManagerParts
const MADE = '<!-- Made by "npm run docs"; do not edit. -->'

async function main(): Promise<void> {
  const pages: Record<string, string> = {
    'docs/errors.md': await errorsPage(),
    'docs/protocol.md': protocolPage(),
    'docs/deploy-file.md': deployFilePage(),
    'docs/deploy-file.schema.json': `${deployFileJsonSchema()}\n`,
    'docs/api.md': apiPage(await describeApi(DESCRIBED)),
    'docs/cli.md': `${MADE}\n${await cliPage()}`,
    'docs/webhooks.md': webhooksPage(),
    'docs/running.md': withSettings(current('docs/running.md') ?? ''),
    'docs/policy.md': withSamples(current('docs/policy.md') ?? '', ROOT),
  }
  const stale = Object.entries(pages).filter(([file, text]) => current(file) !== text)
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      process.stderr.write(
        `stale: ${stale.map(([file]) => file).join(', ')}\nRun "npm run docs" and commit them.\n`,
      )
      process.exitCode = 1
    }
    return
  }
  for (const [file, text] of stale) {
    writeFileSync(join(ROOT, file), text)
    process.stdout.write(`wrote ${file}\n`)
  }
}

function current(file: string): string | undefined {
  try {
    return readFileSync(join(ROOT, file), 'utf8')
  } catch {
    return undefined
  }
}

/** Every error of the catalogue: the files called errors.ts or …-errors.ts, and lib/. */
async function errorsPage(): Promise<string> {
  const files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter(file => /(^|[/-])errors\.ts$/.test(file) || file === 'lib/check.ts')
    .sort()
  const found = new Map<string, ErrorDefinition<string[]>>()
  for (const file of files) {
    for (const value of Object.values((await import(`#${file}`)) as Record<string, unknown>)) {
      const definition = (value as { definition?: ErrorDefinition<string[]> } | undefined)?.definition
      if (definition) {
        found.set(definition.code, definition)
      }
    }
  }
  const rows = [...found.values()]
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map(error => {
      const names = Array.from({ length: 6 }, (_, index) => `‹${index + 1}›`)
      const cells = [
        error.code,
        error.status,
        retryOf(error),
        text(error.message, names),
        text(error.hint, names),
      ]
      return `| ${cells.map(cell => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
    })
  return [
    MADE,
    '# Errors',
    '',
    'Every error that Fairlead raises on purpose. `‹1›`, `‹2›` … stand for names and values.',
    'Over REST they arrive as `application/problem+json` with `code`, `hint` and `request_id`.',
    '',
    '| code | HTTP status | try again | message | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function retryOf(error: ErrorDefinition<string[]>): string {
  return typeof error.retry === 'string' ? error.retry : `after ${error.retry.afterSeconds} s`
}

function text(make: (...args: string[]) => string, names: string[]): string {
  try {
    return make(...names)
  } catch {
    return '(depends on the case)'
  }
}

/** One short section for each Git host. */
function webhooksPage(): string {
  return [
    MADE,
    '# Webhooks',
    '',
    'A webhook tells Fairlead that a branch moved, so that it need not wait for the next look at the repository.',
    'It is only a hint: Fairlead reads the tip of the branch itself, so a delivery that is lost, late, doubled or wrong does no harm.',
    '',
    '```sh',
    'fairlead repositories webhook site --git-host gitea',
    '```',
    '',
    'prints the address, the secret (this once) and what to do at the Git host. Without `--git-host` the address of the repository decides.',
    'The same command gives a webhook a new secret; the one before stays valid for a day. When it has leaked, `--revoke-old` has it refused at once. `fairlead repositories` shows when the Git host still signs with it.',
    '',
    '- Each repository has a webhook of its own. Deliveries about another repository than the registered one are refused with 403, also after it was renamed or moved: then register it by its new address.',
    '- Every delivery is signed with the scheme that the webhook was made for, whatever its headers suggest. All of them are sent as `application/json`; forms are refused with 415.',
    '- A delivery that is not signed is answered with 401 and no reason. Its reason (no signature, a wrong one, a clock that is off, no usable secret here) stands in the log with the address it came from, once a minute, and at the repository: `fairlead repositories`.',
    '- A stored secret that is empty or cannot be opened is none: its webhook refuses everything and shows a problem until it gets a new one; `/health/ready` counts such webhooks (`webhooks.unusable`).',
    '- What starts deployments is answered with 202. A tag, a deleted branch, another branch, a pull request that was not merged, a test of the Git host or any other event is answered with 200 and the reason, as `ignored`.',
    '- A pull request that is merged into the branch counts like the push that comes with it: whichever arrives first starts the deployment, the other one joins it.',
    '',
    ...comingAgain(),
    ...GIT_HOSTS.flatMap(({ name, title, summary, setup, sites = [] }) => [
      `## ${title}`,
      '',
      `\`--git-host ${name}\`${sites.length > 0 ? `, by itself for ${sites.join(' and ')}` : ''}. ${summary}`,
      '',
      ...setup.map((step, index) => `${index + 1}. ${step}`),
      '',
    ]),
    ...decisionTable(),
  ].join('\n')
}

/** How the ids of deliveries are protected is read from the hosts. */
function comingAgain(): string[] {
  const titles = (isMeant: (headers: (typeof GIT_HOSTS)[number]['headers']) => boolean) =>
    GIT_HOSTS.filter(({ headers }) => isMeant(headers))
      .map(({ title }) => title)
      .join('; ')
  return [
    '## Deliveries that come again',
    '',
    'A delivery whose id came before is answered with 200, `duplicate` and the deployments that the first one started. When one of these failed it is a new attempt: "Redeliver" at the Git host works. The same id with another body is refused with 400.',
    '',
    `- Id and time are signed with the body: ${titles(({ timestamp }) => timestamp !== undefined)}. Whoever caught such a delivery cannot use it later than five minutes after.`,
    `- The id is not signed: ${titles(({ delivery, timestamp }) => delivery !== undefined && timestamp === undefined)}. Whoever caught one could send it under any id, so the same body under another id is the same delivery for an hour, until what it started has failed or another push came: a branch may be moved there and back.`,
    `- There is no id: ${titles(({ delivery }) => delivery === undefined)}. Equal bodies within half a minute are the same delivery.`,
    '',
    'In the worst case a caught delivery has the tip of the branch deployed once more: no delivery decides what is deployed.',
    '',
  ]
}

/** From the samples that the tests send through the real server. */
function decisionTable(): string[] {
  const byDecision = new Map<string, string[]>()
  for (const host of GIT_HOSTS) {
    for (const { event, about, says } of samplesOf(host).samples) {
      const row = `| ${event === undefined ? '' : `\`${event}\``} | ${about} | ${decisionOf(says)} |`
      byDecision.set(row, [...(byDecision.get(row) ?? []), host.title])
    }
  }
  return [
    '## What becomes of each event',
    '',
    'Every row is a delivery that the tests send to a running manager, and so are all examples that GitHub publishes of its 58 events: what is not named here is `ignored: event`.',
    '',
    '| Git hosts | event | for example | decision |',
    '| --- | --- | --- | --- |',
    ...[...byDecision].map(([row, hosts]) => `| ${hosts.join(', ')} ${row}`),
    '',
  ]
}

function decisionOf(says: string): string {
  const [verb, ...rest] = says.split(' ')
  switch (verb) {
    case 'push':
      return rest.length > 0
        ? `202, apps that follow ${rest.join(' or ')}`
        : '202, all apps of the repository'
    case 'ignored':
      return `200, ignored: ${rest.join(' ')}`
    default:
      return '422, not such an event'
  }
}

function protocolPage(): string {
  const frames = (title: string, schemas: Record<string, TSchema>) => [
    `## ${title}`,
    '',
    ...Object.entries(schemas).flatMap(([name, schema]) => [`- \`${name}\`: ${fieldsOf(schema)}`]),
    '',
  ]
  return [
    MADE,
    '# Agent protocol',
    '',
    'Frames are `{"command": …, "data": …}` over a WebSocket with mutual TLS; see ARCHITECTURE.md for the handshake.',
    '',
    ...frames('From the agent', AGENT_FRAMES),
    ...frames('From the manager', MANAGER_FRAMES),
    '## Commands',
    '',
    'Their data is `{id, deadlineMs, idem, params}`; the tables list `params` and the result.',
    '',
    ...COMMANDS.flatMap(command => [
      `### ${command.name}`,
      '',
      command.summary,
      '',
      `- role: ${command.role}; deadline when none is named: ${command.deadlineMs / 1000} s`,
      `- params: ${fieldsOf(command.data)}`,
      `- result: ${fieldsOf(command.result)}`,
      '',
    ]),
  ].join('\n')
}

function deployFilePage(): string {
  return [
    MADE,
    '# The deploy file',
    '',
    '`fairlead.yaml` at the root of a repository. Without one, a compose file or a Dockerfile at the root is enough.',
    'Editor support: `docs/deploy-file.schema.json`. `fairlead check` shows every problem with file and line.',
    '',
    '```yaml',
    readFileSync(join(ROOT, 'src/deploy-file/example.yml'), 'utf8').trimEnd(),
    '```',
    '',
    ...TARGETS.flatMap(target => [
      `## target: ${target.name}`,
      '',
      target.summary,
      '',
      ...Object.entries(target.settings.properties as Record<string, TSchema & { description?: string }>).map(
        ([name, schema]) =>
          `- \`${name}\` (${typeOf(schema)}${(target.settings as { required?: string[] }).required?.includes(name) ? ', required' : ''})${schema.description ? `: ${schema.description}` : ''}`,
      ),
      '',
    ]),
  ].join('\n')
}

const SETTINGS_BEGIN = '<!-- settings, made by "npm run docs" from src/lib/settings.ts -->\n'
const SETTINGS_END = '<!-- end of settings -->'

/** The page is written by hand, but for its tables of variables. */
function withSettings(page: string): string {
  const begin = page.indexOf(SETTINGS_BEGIN)
  const end = page.indexOf(SETTINGS_END)
  if (begin === -1 || end < begin) {
    throw new Error(`docs/running.md lacks the lines ${SETTINGS_BEGIN.trim()} and ${SETTINGS_END}`)
  }
  return page.slice(0, begin + SETTINGS_BEGIN.length) + settingsTables() + page.slice(end)
}

function settingsTables(): string {
  const shared = (SETTINGS as readonly Setting[]).filter(({ of }) => of.length > 1)
  const only = (reader: 'manager' | 'worker' | 'guardian' | 'client') =>
    settingsOf(reader).filter(setting => !shared.includes(setting))
  return [
    ...settingsTable('Every part', shared),
    ...settingsTable('Manager', only('manager')),
    ...settingsTable('Worker', only('worker')),
    ...settingsTable('Guardian', only('guardian')),
    ...settingsTable('Commands that talk to a manager', only('client')),
  ].join('\n')
}

function settingsTable(title: string, settings: readonly Setting[]): string[] {
  return [
    `### ${title}`,
    '',
    '| variable | means | default |',
    '| --- | --- | --- |',
    ...settings.map(({ name, means, default: usual }) => `| \`${name}\` | ${means} | ${usual} |`),
    '',
  ]
}

interface OpenApi {
  readonly paths: Record<string, Record<string, { summary?: string; description?: string }>>
}

function apiPage(document: unknown): string {
  const { paths } = document as OpenApi
  return [
    MADE,
    '# REST API',
    '',
    'The full reference with all shapes is served by every manager at `/api/v1/docs` (OpenAPI 3.1 at `/api/v1/openapi.json`).',
    '',
    '| method | path | does |',
    '| --- | --- | --- |',
    ...Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, route]) =>
          `| ${method.toUpperCase()} | \`${path}\` | ${route.summary ?? route.description ?? ''} |`,
      ),
    ),
    '',
  ].join('\n')
}

function fieldsOf(schema: TSchema): string {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, TSchema>
    required?: string[]
  }
  const fields = Object.entries(properties).map(
    ([name, field]) => `\`${name}${required.includes(name) ? '' : '?'}\` ${typeOf(field)}`,
  )
  return fields.length > 0 ? fields.join(', ') : 'nothing'
}

function typeOf(schema: TSchema): string {
  const shape = schema as {
    type?: string
    const?: unknown
    anyOf?: TSchema[]
    items?: TSchema
    secret?: boolean
  }
  if (shape.anyOf) {
    return shape.anyOf.map(typeOf).join(' or ')
  }
  if (shape.const !== undefined) {
    return JSON.stringify(shape.const)
  }
  if (shape.secret) {
    return 'secret'
  }
  return shape.type === 'array' && shape.items ? `list of ${typeOf(shape.items)}` : (shape.type ?? 'any')
}

await main()
