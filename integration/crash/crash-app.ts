import type { Remote, System } from '#world/system.ts'
import type { Target } from './case.ts'
import { deliver } from './delivery.ts'

export interface Release {
  /** What visitors read once it serves. */
  readonly text: string
  readonly commit: string
  /** Deployments that the manager named when it acknowledged the delivery. */
  readonly deployments: Promise<readonly string[]>
}

/** One app with its repository. Each version answers with a text of its own. */
export interface CrashApp {
  readonly target: Target
  readonly name: string
  readonly host: string
  /** Pushes a new version and delivers the webhook for it; an `ill` one never gets healthy. */
  release(kind: 'good' | 'ill'): Promise<Release>
  /** Of the version with this text. */
  commitOf(text: string): string | undefined
  /** Registers the app again after its removal. */
  register(): Promise<void>
}

export async function addCrashApp(system: System, target: Target): Promise<CrashApp> {
  const name = `crash-${target}-${process.pid}`
  const files = target === 'container' ? containerFiles : composeFiles
  const text = (version: number) => `version ${version} of ${name}`
  const commits = new Map<string, string>()
  let version = 0
  let before = '0'.repeat(40)
  const remote: Remote = await system.addRepository(name, files({ name, system, text: text(0), ill: false }))
  const { client } = system.together()
  const { url, secret } = await client.send<{ url: string; secret: string }>(
    'POST',
    `/repositories/${name}/webhook-secret`,
    { git_host: 'github' },
  )
  return {
    target,
    name,
    host: `${name}.localhost`,
    async release(kind) {
      version += 1
      const commit = await remote.push(files({ name, system, text: text(version), ill: kind === 'ill' }))
      const pushed = { ref: 'refs/heads/main', before, after: commit }
      before = commit
      commits.set(text(version), commit)
      return { text: text(version), commit, deployments: deliver({ url, secret }, pushed) }
    },
    commitOf: words => commits.get(words),
    register: async () => void (await client.send('POST', '/apps', { name, repository: name })),
  }
}

interface Version {
  readonly name: string
  readonly system: System
  readonly text: string
  readonly ill: boolean
}

/** Not at the root, so that the step "read" has to ask for the Dockerfile. */
function containerFiles({ name, system, text, ill }: Version) {
  return {
    'app/index.html': text,
    'app/Dockerfile': dockerfile(system, ill ? '["false"]' : SERVE),
    'fairlead.yaml': deployFile(name, [
      'target: container',
      'context: app',
      'watch: [app/**]',
      'port: 8080',
      'drain: 0s',
      'stop_grace: 1s',
      'health: { within: 10s }',
      'verify: { settle: 300ms }',
    ]),
  }
}

function composeFiles({ name, system, text, ill }: Version) {
  return {
    'index.html': text,
    Dockerfile: dockerfile(system, SERVE),
    'compose.yaml': `services:
  web:
    build: .
    init: true
    restart: always
    stop_grace_period: 1s
    expose: [8080]
    healthcheck: { test: ["CMD-SHELL", "${ill ? 'exit 1' : 'true'}"], interval: 200ms, retries: 2 }
`,
    'fairlead.yaml': deployFile(name, [
      'target: compose',
      'routes: [{ service: web, port: 8080 }]',
      'drain: 0s',
      'verify: { settle: 300ms }',
    ]),
  }
}

const SERVE = '["httpd", "-f", "-p", "8080", "-h", "/www"]'

function dockerfile({ baseImage }: System, command: string): string {
  return `FROM ${baseImage}\nCOPY index.html /www/index.html\nCMD ${command}\n`
}

function deployFile(app: string, settings: readonly string[]): string {
  return ['version: 1', 'apps:', `  ${app}:`, ...settings.map(line => `    ${line}`), ''].join('\n')
}
