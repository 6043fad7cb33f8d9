/** The import table and the capabilities of the source tree, as data: architecture.test.ts checks every line against it. */
export interface FolderRule {
  /** Folders, or single files of them, that may be imported. */
  readonly imports: readonly string[]
  /** npm packages that may be imported. */
  readonly packages: readonly string[]
}

export const FOLDERS: Readonly<Record<string, FolderRule>> = {
  lib: { imports: [], packages: ['pino', 'typebox'] },
  contract: { imports: [], packages: ['typebox'] },
  formats: { imports: [], packages: ['smol-toml'] },
  exec: { imports: ['formats', 'lib'], packages: ['age-encryption', 'tar-stream', 'ws'] },
  link: { imports: ['contract', 'lib'], packages: ['ws', '@peculiar/x509', 'typebox'] },
  programs: { imports: ['exec/call.ts', 'formats', 'lib'], packages: ['yaml'] },
  firewall: { imports: ['lib'], packages: ['typebox', 'yaml'] },
  recipes: {
    imports: [
      'deploy-file/expectation.ts',
      'deploy-file/explain.ts',
      'deploy-file/yaml-text.ts',
      'formats',
      'lib',
    ],
    packages: ['typebox', 'yaml'],
  },
  policy: { imports: ['formats', 'lib'], packages: ['typebox', 'yaml'] },
  previews: {
    imports: ['lib'],
    packages: ['@humanwhocodes/momoa', 'highlight.js', 'markdown-it', 'sanitize-html'],
  },
  commands: {
    imports: [
      'previews/picture.ts',
      'programs',
      'recipes',
      'policy',
      'firewall',
      'exec/call.ts',
      'contract',
      'formats',
      'lib',
    ],
    packages: ['typebox'],
  },
  targets: {
    imports: ['commands', 'programs', 'recipes', 'policy', 'firewall', 'exec/call.ts', 'formats', 'lib'],
    packages: ['typebox', 'yaml'],
  },
  'git-hosts': { imports: ['contract', 'lib'], packages: ['typebox'] },
  'deploy-file': {
    imports: ['targets', 'contract', 'formats', 'lib'],
    packages: ['@humanwhocodes/momoa', 'croner', 'typebox', 'yaml'],
  },
  agent: { imports: ['commands', 'link', 'exec', 'contract', 'lib'], packages: ['ws', 'typebox'] },
  worker: {
    imports: [
      'agent',
      'link',
      'targets',
      'commands',
      'programs/caddy-gate.ts',
      'policy',
      'exec',
      'contract',
      'lib',
    ],
    packages: ['yaml', 'typebox'],
  },
  guardian: {
    imports: ['agent', 'link', 'commands', 'firewall', 'programs', 'exec', 'lib'],
    packages: ['yaml', 'typebox'],
  },
  cli: {
    imports: ['deploy-file', 'targets', 'recipes', 'contract', 'lib'],
    packages: ['commander', 'picocolors', '@peculiar/x509', 'bcryptjs', 'tar-stream', 'ws', 'yaml'],
  },
  manager: {
    imports: [
      'deploy-file',
      'targets',
      'git-hosts',
      'policy',
      'commands',
      'programs/git-url.ts',
      'programs/git-names.ts',
      'formats/image-reference.ts',
      'previews/card.ts',
      'previews/page.ts',
      'previews/picture.ts',
      'previews/render-notebook.ts',
      'firewall',
      'link',
      'contract',
      'lib',
    ],
    packages: [
      'age-encryption',
      'fastify',
      '@fastify/swagger',
      '@fastify/swagger-ui',
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
      'age-encryption',
      'jose',
      'kysely',
      'nodemailer',
      '@simplewebauthn/server',
      'bcryptjs',
      'openid-client',
      'otpauth',
      'pg',
      'prom-client',
      'tar-stream',
      'typebox',
      'ws',
    ],
  },
}

/** What the web interface, web/, may import: of the sources only the types of the contract. */
export const WEB_PACKAGES: readonly string[] = [
  'vue',
  'vue-router',
  '@nuxt/ui',
  '@tanstack/vue-virtual',
  'uqr',
  '@xterm/xterm',
  '@xterm/addon-fit',
  'uplot',
]

export interface Capability {
  readonly what: string
  /** Found in a line of code, it uses the capability. */
  readonly sign: RegExp
  /** Files that may; `*` stands for one path part, `**` for any. */
  readonly allowed: readonly string[]
}

export const CAPABILITIES: readonly Capability[] = [
  {
    what: 'start a process',
    sign: /['"]node:child_process['"]/,
    allowed: [
      'exec/start-process.ts',
      'cli/commands/up.ts',
      'cli/demo/**',
      'cli/parts.ts',
      'cli/part-program.ts',
      'cli/web-build.ts',
      'cli/run-ssh.ts',
    ],
  },
  { what: 'read the environment', sign: /\bprocess\.env\b/, allowed: ['*/config.ts', 'cli/demo/**'] },
  {
    what: 'talk to the outside',
    // Types, and the parsing of addresses, reach nobody.
    sign: /^import (?!type\b)(?!\{ (?:BlockList, )?isIP \}).*['"](?:node:(?:net|tls|http|https|http2|dgram)|ws)['"]|\bfetch\(/,
    allowed: [
      'link/**',
      'agent/door.ts',
      'agent/join.ts',
      'manager/agents/dial.ts',
      'manager/http.ts',
      'manager/leadership/**',
      'cli/client.ts',
      'cli/id-token.ts',
      'cli/demo/**',
      'exec/request.ts',
      'exec/greeting.ts',
      'exec/image-build.ts',
      'exec/buildkit-session.ts',
      'exec/terminal.ts',
      'manager/api/upgrades.ts',
      'cli/console.ts',
      'worker/switchboard.ts',
      'worker/gate.ts',
    ],
  },
  {
    what: 'speak to PostgreSQL',
    sign: /['"]pg['"]/,
    allowed: ['manager/store/postgres-session.ts'],
  },
  { what: 'send mail', sign: /['"]nodemailer['"]/, allowed: ['manager/notifications/send-mail.ts'] },
  {
    what: 'speak SQL',
    sign: /['"](?:kysely|node:sqlite)['"]/,
    allowed: ['manager/**', 'agent/journal.ts', 'agent/journal-file.ts', 'worker/switchboard.ts'],
  },
  {
    what: 'use the clock',
    sign: /\bDate\.now\(|\bperformance\.now\(|\bset(?:Timeout|Interval|Immediate)\(/,
    allowed: ['lib/clock.ts', 'cli/**'],
  },
  {
    what: 'write to standard output',
    sign: /\bconsole\.(?:log|info|warn|error|debug|dir|table|trace|time)|process\.stdout/,
    allowed: ['cli/print.ts', 'cli/console.ts', 'lib/logger.ts', '*/main.ts', 'cli/demo/**'],
  },
  { what: 'end the process', sign: /\bprocess\.exit\(/, allowed: ['*/main.ts'] },
]
