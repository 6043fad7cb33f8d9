import { once } from 'node:events'
import WebSocket from 'ws'

/** A notebook's server, as a program with its token talks to it. */
export interface NotebookServer {
  /** `http://host:port` */
  readonly origin: string
  readonly token: string
}

/** What a new kernel of the server prints for this code. */
export async function execute(server: NotebookServer, code: string): Promise<string> {
  const kernel = (await (await ask(server, '/api/kernels', { method: 'POST', body: '{}' })).json()) as {
    id: string
  }
  const url = `${server.origin.replace('http', 'ws')}/api/kernels/${kernel.id}/channels`
  const socket = new WebSocket(url, { headers: { authorization: `token ${server.token}` } })
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
  { origin, token }: NotebookServer,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  return await fetch(`${origin}${path}`, { ...init, headers: { authorization: `token ${token}` } })
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
