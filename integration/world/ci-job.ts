import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import type { TestIssuer } from '#manager/ci/test-issuer.ts'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLES = join(ROOT, 'examples/ci')

/** What the CI system would know of the job. */
export interface CiJobOptions {
  readonly folder: string
  readonly manager: string
  readonly app: string
  readonly commit: string
  readonly issuer: TestIssuer
  readonly claims: Readonly<Record<string, unknown>>
}

export interface JobEnd {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface GitlabFile {
  readonly deploy: {
    readonly variables: Record<string, string>
    readonly id_tokens: Record<string, { readonly aud: string }>
    readonly script: readonly string[]
  }
}

interface GithubFile {
  readonly permissions: Record<string, string>
  readonly jobs: {
    readonly deploy: {
      readonly steps: readonly { readonly env: Record<string, string>; readonly run: string }[]
    }
  }
}

/** Runs the script of examples/ci/gitlab-ci.yml as a runner does. */
export async function runGitlabExample(options: CiJobOptions): Promise<JobEnd> {
  const { deploy } = parse(await readFile(join(EXAMPLES, 'gitlab-ci.yml'), 'utf8')) as GitlabFile
  const tokens = Object.entries(deploy.id_tokens).map(
    async ([name, { aud }]) => [name, await options.issuer.sign(options.claims, { audience: aud })] as const,
  )
  return await runScript(deploy.script.join('\n'), options, {
    ...deploy.variables,
    ...Object.fromEntries(await Promise.all(tokens)),
    GITLAB_CI: 'true',
    CI_PROJECT_NAME: options.app,
    CI_COMMIT_SHA: options.commit,
  })
}

/** Runs the steps of examples/ci/github-actions.yml as a runner does, with what each gives to the next. */
export async function runGithubExample(
  stack: AsyncDisposableStack,
  options: CiJobOptions,
): Promise<{ ends: JobEnd[]; summary: string }> {
  const { jobs, permissions } = parse(
    await readFile(join(EXAMPLES, 'github-actions.yml'), 'utf8'),
  ) as GithubFile
  const files = { output: join(options.folder, 'output'), summary: join(options.folder, 'summary') }
  await Promise.all(Object.values(files).map(file => writeFile(file, '')))
  const given = permissions['id-token'] === 'write' ? await idTokenServer(stack, options) : {}
  const ends: JobEnd[] = []
  for (const { env, run } of jobs.deploy.steps) {
    const outputs = readOutputs(await readFile(files.output, 'utf8'))
    const values = Object.entries(env).map(([name, value]) => [name, evaluated(value, options.app, outputs)])
    const end = await runScript(run, options, {
      ...Object.fromEntries(values),
      ...given,
      GITHUB_ACTIONS: 'true',
      GITHUB_SHA: options.commit,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    })
    ends.push(end)
    if (end.code !== 0) {
      break
    }
  }
  return { ends, summary: await readFile(files.summary, 'utf8') }
}

/** Hands out tokens as GitHub does to a job that may have them. */
async function idTokenServer(
  stack: AsyncDisposableStack,
  { issuer, claims }: CiJobOptions,
): Promise<Record<string, string>> {
  const server = createServer(async ({ url = '', headers }, response) => {
    const audience = new URL(url, 'http://localhost').searchParams.get('audience') ?? ''
    const isGood = headers.authorization === 'Bearer of-the-job'
    response.writeHead(isGood ? 200 : 401)
    response.end(JSON.stringify(isGood ? { value: await issuer.sign(claims, { audience }) } : {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(async () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job',
  }
}

/** Nothing of this machine is there but the program: no folder with a token in it. */
async function runScript(
  script: string,
  options: CiJobOptions,
  given: Record<string, string>,
): Promise<JobEnd> {
  const home = join(options.folder, 'home')
  await rm(home, { recursive: true, force: true })
  await mkdir(home)
  const env = {
    ...given,
    PATH: `${join(ROOT, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: home,
    // The manager of the example is at an address that nobody else has; what tokens are made for stays.
    FAIRLEAD_AUDIENCE: given.FAIRLEAD_MANAGER ?? 'https://fairlead.example.org',
    FAIRLEAD_MANAGER: options.manager,
  }
  const child = spawn('/bin/sh', ['-ec', script], { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  return { code: code as number | null, out, err }
}

function evaluated(value: string, app: string, outputs: Readonly<Record<string, string>>): string {
  const [, output] = /^\$\{\{ steps\.deploy\.outputs\.(\w+) \}\}$/.exec(value) ?? []
  if (output !== undefined) {
    return outputs[output] ?? ''
  }
  return /^\$\{\{ inputs\.app \|\| '\w+' \}\}$/.test(value) ? app : value
}

function readOutputs(file: string): Record<string, string> {
  return Object.fromEntries(
    [...file.matchAll(/^(\w+)<<(\S+)\n(.*)\n\2$/gm)].map(([, name, , value]) => [name, value]),
  )
}
