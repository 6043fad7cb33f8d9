import { join } from 'node:path'
import { type GitServer, startGitServer } from '#cli/demo/git-server.ts'
import { type Crafted, type CraftedCommit, craftCommit } from './crafted-repository.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { type HandsOptions, type WorkerHands, workerHands } from './worker-hands.ts'

export const USER = { username: 'ada', password: 'love/lace:1843' }

/** A Git server with one repository `app`, and a worker that may read it. */
export interface GitWorld {
  readonly folder: string
  readonly server: GitServer
  /** The bare repository on the server. */
  readonly bare: string
  readonly hands: WorkerHands
  /** Data of repository.checkout for branch main. */
  readonly data: {
    readonly repository: string
    readonly url: string
    readonly branch: string
    readonly credential: { readonly kind: 'https'; readonly username: string; readonly password: string }
    readonly ca: string
    readonly texts: string[]
  }
  commit(files: Readonly<Record<string, Crafted>>, more?: Omit<CraftedCommit, 'files'>): Promise<string>
}

export async function gitWorld(world: AsyncDisposableStack, options: HandsOptions = {}): Promise<GitWorld> {
  const folder = await temporaryFolder(world)
  const server = await startGitServer({ folder: join(folder, 'git'), ...USER })
  world.defer(server.close)
  const bare = await server.createRepository('app')
  return {
    folder,
    server,
    bare,
    hands: await workerHands(world, options),
    data: {
      repository: 'app',
      url: server.url('app'),
      branch: 'main',
      credential: { kind: 'https', ...USER },
      ca: server.ca,
      texts: ['compose*.y*ml'],
    },
    commit: (files, more) => craftCommit(bare, { files, ...more }),
  }
}
