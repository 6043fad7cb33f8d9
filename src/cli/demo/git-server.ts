import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { type Certificate, certificateIn } from './certificate.ts'
import { choosePort } from './free-port.ts'
import { runGitBackend } from './git-backend.ts'
import { createBareRepository, readRefs } from './git-repository.ts'

/** Called for each branch or tag that a push changed, before the push returns; an absent side is 40 zeros. */
export type PushListener = (name: string, ref: string, before: string, after: string) => void

export interface GitServer {
  /** Address to clone from; it carries no password. */
  url(name: string): string
  /** PEM to trust. */
  readonly ca: string
  /** The same in a file, for a git client. */
  readonly caFile: string
  readonly username: string
  readonly password: string
  readonly repositoriesFolder: string
  readonly logFile: string
  /** Makes an empty bare repository whose default branch is main; gives its folder. */
  createRepository(name: string): Promise<string>
  /** Calls back until closed. */
  onPush(listener: PushListener): { close(): void }
  close(): Promise<void>
}

export interface GitServerOptions {
  readonly folder: string
  /** Default: a free one. */
  readonly port?: number
  readonly username: string
  readonly password: string
  /** Default: a self-signed one for 127.0.0.1 and localhost, kept in the folder. */
  readonly certificate?: Certificate
}

const NAME = /^[a-z0-9][a-z0-9_-]*(\/[a-z0-9][a-z0-9_-]*)*$/i
const NO_COMMIT = '0'.repeat(40)

/** A Git host on loopback over HTTPS: everything wants the password, and who has it may push. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const { folder, username, password } = options
  const repositoriesFolder = join(folder, 'repositories')
  const logFile = join(folder, 'git.log')
  await mkdir(repositoriesFolder, { recursive: true })
  const certificate = options.certificate ?? (await certificateIn(join(folder, 'certificate')))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, certificate.certificate)
  const pushes = new Pushes(repositoriesFolder)
  const server = createServer(
    { cert: certificate.certificate, key: certificate.key },
    (request, response) => {
      void serve(request, response).catch(async error => {
        response.destroy()
        await appendFile(logFile, `${request.method} ${request.url}: ${error}\n`)
      })
    },
  )
  const port = await choosePort(options.port)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isAllowed(request, username, password)) {
      response
        .writeHead(401, { 'www-authenticate': 'Basic realm="git", charset="UTF-8"' })
        .end('Password, please.\n')
      return
    }
    const run = () => runGitBackend({ request, response, repositoriesFolder, username, logFile })
    const pushedTo = nameOfPush(request)
    await (pushedTo === undefined ? run() : pushes.watch(pushedTo, run))
    // Only now does the client's push return: the listeners know of it already.
    response.end()
  }

  return {
    url: name => `https://127.0.0.1:${port}/${checkName(name)}.git`,
    ca: certificate.certificate,
    caFile,
    username,
    password,
    repositoriesFolder,
    logFile,
    createRepository: name => createBareRepository(join(repositoriesFolder, `${checkName(name)}.git`)),
    onPush(listener) {
      pushes.listeners.add(listener)
      return { close: () => pushes.listeners.delete(listener) }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function checkName(name: string): string {
  if (!NAME.test(name)) {
    throw new Error(
      `${JSON.stringify(name)} is no repository name: letters, digits, - and _, parts separated by /`,
    )
  }
  return name
}

function isAllowed(request: IncomingMessage, username: string, password: string): boolean {
  const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  return timingSafeEqual(sha256(request.headers.authorization ?? ''), sha256(wanted))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function nameOfPush(request: IncomingMessage): string | undefined {
  const name = /^\/(.+)\.git\/git-receive-pack$/.exec(request.url ?? '')?.[1]
  return request.method === 'POST' && name !== undefined && NAME.test(name) ? name : undefined
}

/** Compares the refs around each push. Pushes to one repository wait for each other, so each change has one author. */
class Pushes {
  readonly listeners = new Set<PushListener>()
  readonly #folder: string
  readonly #last = new Map<string, Promise<void>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  async watch(name: string, push: () => Promise<void>): Promise<void> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(() => this.#compare(name, push))
    this.#last.set(
      name,
      turn.catch(() => undefined),
    )
    await turn
  }

  async #compare(name: string, push: () => Promise<void>): Promise<void> {
    const folder = join(this.#folder, `${name}.git`)
    const before = await readRefs(folder)
    try {
      await push()
    } finally {
      const after = await readRefs(folder)
      for (const ref of new Set([...before.keys(), ...after.keys()])) {
        this.#tell(name, ref, before.get(ref) ?? NO_COMMIT, after.get(ref) ?? NO_COMMIT)
      }
    }
  }

  #tell(name: string, ref: string, before: string, after: string): void {
    if (before === after) {
      return
    }
    for (const listener of this.listeners) {
      listener(name, ref, before, after)
    }
  }
}
