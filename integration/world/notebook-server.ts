import { ok } from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { type Answered, type Asked, askHost } from './visitor.ts'

/** A notebook's server on this machine, or the proxy before it, as a program that may pass talks to it. */
export interface NotebookServer {
  readonly host: string
  readonly port: number
  /** A token, or the cookie of a visitor. */
  readonly headers: Readonly<Record<string, string>>
  /** Path that it is below, without a slash at its end; default: none. */
  readonly base?: string
}

/** What a new kernel of the server prints for this code. */
export async function execute(server: NotebookServer, code: string, kernel?: string): Promise<string> {
  const { host, port, headers, base = '' } = server
  const wish = JSON.stringify({ name: kernel })
  const started = await ask(server, `${base}/api/kernels`, { method: 'POST', body: wish })
  const { id } = JSON.parse(started.body) as { id: string }
  const url = `ws://127.0.0.1:${port}${base}/api/kernels/${id}/channels`
  const socket = new WebSocket(url, { headers: { ...headers, host: `${host}:${port}` } })
  try {
    await once(socket, 'open')
    const printed = outputOf(socket)
    socket.send(JSON.stringify(executeRequest(code)))
    return await printed
  } finally {
    socket.terminate()
  }
}

export async function ask(
  { host, port, headers }: NotebookServer,
  path: string,
  asked: Omit<Asked, 'path' | 'headers'> = {},
): Promise<Answered> {
  return await askHost({ host, port }, { ...asked, path, headers })
}

export async function untilServing(server: NotebookServer): Promise<void> {
  for (let tries = 0; ; tries++) {
    const status = await ask(server, `${server.base ?? ''}/api`).then(
      answer => answer.status,
      () => 0,
    )
    if (status === 200) {
      return
    }
    ok(tries < 600, 'the server never answered')
    await sleep(100)
  }
}

interface Message {
  readonly parent_header?: { readonly msg_id?: string }
  readonly msg_type: string
  readonly content: { readonly text?: string; readonly execution_state?: string; readonly evalue?: string }
}

const REQUEST = 'the-request'

/** Until the kernel is idle again. */
function outputOf(socket: WebSocket): Promise<string> {
  let printed = ''
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the kernel went away')))
    socket.on('message', data => {
      const { parent_header: parent, msg_type: type, content } = JSON.parse(String(data)) as Message
      if (parent?.msg_id !== REQUEST) {
        return
      }
      printed += type === 'stream' ? (content.text ?? '') : ''
      if (type === 'error') {
        reject(new Error(content.evalue))
      } else if (type === 'status' && content.execution_state === 'idle') {
        resolve(printed)
      }
    })
  })
}

function executeRequest(code: string) {
  const header = {
    msg_id: REQUEST,
    msg_type: 'execute_request',
    username: '',
    session: 'test',
    version: '5.3',
    date: '',
  }
  const content = { code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false }
  return { channel: 'shell', header, parent_header: {}, metadata: {}, content, buffers: [] }
}
