import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** The part of GitHub's API that is told about commits. It can be away for a while. */
export interface FakeGithub {
  readonly api: string
  /** What it was told about the commit, in order. */
  told(commit: string): readonly string[]
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

export async function startFakeGithub(stack: AsyncDisposableStack): Promise<FakeGithub> {
  const told: { readonly commit: string; readonly what: string }[] = []
  const commits: string[] = []
  let server = await listen(0)
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  stack.defer(close)

  async function listen(at: number): Promise<Server> {
    const made = createServer(async (request, response) => {
      const body = (await json(request)) as { state?: string; ref?: string }
      const [, kind, id = ''] = /\/(statuses|deployments)\/?([0-9a-f]*)/.exec(request.url ?? '') ?? []
      if (kind === 'statuses') {
        told.push({ commit: id, what: `commit ${body.state}` })
      } else if (id === '') {
        commits.push(body.ref ?? '')
        told.push({ commit: body.ref ?? '', what: 'deployment' })
      } else {
        told.push({ commit: commits[Number(id) - 1] ?? '', what: `deployment ${body.state}` })
      }
      response.writeHead(201, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ id: commits.length }))
    })
    await new Promise<void>(resolve => made.listen(at, '127.0.0.1', resolve))
    return made
  }

  return {
    api: `http://127.0.0.1:${port}`,
    told: commit => told.filter(each => each.commit === commit).map(each => each.what),
    goAway: close,
    async comeBack() {
      server = await listen(port)
    },
  }
}
