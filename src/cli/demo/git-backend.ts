import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { signalGroup } from './background-process.ts'
import { GIT_ENVIRONMENT } from './git-repository.ts'

interface Head {
  readonly status: number
  readonly headers: Record<string, string>
  /** What came after the head in the same chunk. */
  readonly rest: Buffer
}

const LONGEST_HEAD = 64 * 1024

/**
 * Lets `git http-backend` (a CGI program) answer one request of somebody who showed the password. Resolves when Git is
 * done; the caller ends the response.
 */
export async function runGitBackend(call: {
  request: IncomingMessage
  response: ServerResponse
  repositoriesFolder: string
  username: string
  logFile: string
}): Promise<void> {
  const { request, response } = call
  await using log = await open(call.logFile, 'a', 0o600)
  const backend = spawn('git', ['http-backend'], {
    env: { ...GIT_ENVIRONMENT, ...cgiVariables(request, call.repositoriesFolder, call.username) },
    stdio: ['pipe', 'pipe', log.fd],
    detached: true,
  })
  await once(backend, 'spawn')
  const { pid, stdin, stdout } = backend
  if (pid === undefined || stdin === null || stdout === null) {
    throw new Error('git http-backend has no process id or no pipes')
  }
  const ended = once(backend, 'exit')
  response.once('close', () => {
    // A client that went away does not want the rest.
    if (backend.exitCode === null && backend.signalCode === null) {
      signalGroup(pid, 'SIGTERM')
    }
  })
  // Git may close its input early, when it refuses: the rest of the request is read all the same, so that the client
  // gets to the answer, which tells why.
  request.pipe(stdin).on('error', () => request.resume())
  await answer(stdout, response)
  await ended
}

/** The request in the words of CGI (RFC 3875). A body of unknown length has no CONTENT_LENGTH: Git reads to its end. */
function cgiVariables(request: IncomingMessage, folder: string, username: string): Record<string, string> {
  const url = new URL(request.url ?? '/', 'https://localhost')
  const { headers } = request
  const optional = {
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    GIT_PROTOCOL: headers['git-protocol']?.toString(),
  }
  return {
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: `HTTP/${request.httpVersion}`,
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: headers['content-type'] ?? '',
    REMOTE_ADDR: request.socket.remoteAddress ?? '',
    // A known user is what makes Git accept a push.
    REMOTE_USER: username,
    ...Object.fromEntries(Object.entries(optional).filter(pair => pair[1] !== undefined)),
  }
}

async function answer(output: Readable, response: ServerResponse): Promise<void> {
  const head = await readHead(output)
  if (!head) {
    response.writeHead(502).write('git http-backend gave no answer.\n')
    return
  }
  response.writeHead(head.status, head.headers)
  response.write(head.rest)
  await pipeline(output, response, { end: false })
}

async function readHead(output: Readable): Promise<Head | undefined> {
  let read = Buffer.alloc(0)
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    read = Buffer.concat([read, chunk as Buffer])
    const end = /\r?\n\r?\n/.exec(read.toString('latin1', 0, LONGEST_HEAD))
    if (end) {
      return {
        ...parseHead(read.toString('latin1', 0, end.index)),
        rest: read.subarray(end.index + end[0].length),
      }
    }
    if (read.length > LONGEST_HEAD) {
      return undefined
    }
  }
  return undefined
}

function parseHead(text: string): Omit<Head, 'rest'> {
  const fields = text.split(/\r?\n/).map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const { status = '200', ...headers } = Object.fromEntries(fields) as Record<string, string>
  return { status: Number.parseInt(status, 10), headers }
}
