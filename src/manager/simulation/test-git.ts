import { createHash } from 'node:crypto'

interface Commit {
  /** The commit of a person whose files it has, but for what we wrote. */
  readonly origin: string
  /** Texts that we wrote, by their marks. */
  readonly blocks: ReadonlyMap<string, string>
  readonly skips: boolean
  readonly deployment?: string
}

interface Block {
  readonly marker: string
  readonly text: string
}

/** A branch at a Git server that exists only here. Its tip can be put anywhere. */
export class SimulatedGit {
  readonly commits: string[] = []
  /** Those of them that Fairlead pushed. */
  readonly own: string[] = []
  readonly #known = new Map<string, Commit>()
  readonly #bad = new Set<string>()
  tip = ''

  constructor() {
    this.push('good')
  }

  push(kind: 'good' | 'bad', { skips = false } = {}): string {
    const blocks = this.#of(this.tip).blocks
    const commit = this.#add({ blocks, skips })
    if (kind === 'bad') {
      this.#bad.add(commit)
    }
    return commit
  }

  /** A forced push of an earlier commit. */
  goBack(index: number): string {
    this.tip = this.commits[index % this.commits.length] ?? this.tip
    return this.tip
  }

  isBad(commit: string): boolean {
    return this.#bad.has(this.originOf(commit))
  }

  /** What a person pushed of what is in a commit. */
  originOf(commit: string): string {
    return this.#of(commit).origin
  }

  messageOf(commit: string): { readonly skips: boolean; readonly deploy_id?: string } {
    const { skips, deployment } = this.#of(commit)
    return { skips, ...(deployment === undefined ? {} : { deploy_id: deployment }) }
  }

  writeBack(params: Readonly<Record<string, unknown>>) {
    const parent = this.tip
    const { blocks, skips, origin, deployment } = this.#of(parent)
    const given = params.blocks as readonly Block[]
    if (given.every(({ marker, text }) => blocks.get(marker) === text)) {
      const isOwn = deployment === params.deployment
      return { outcome: isOwn ? 'pushed' : 'unchanged', commit: parent, parent: null, skips, warnings: [] }
    }
    const written = new Map([...blocks, ...given.map(({ marker, text }) => [marker, text] as const)])
    const commit = this.#add({
      ...{ origin, blocks: written, skips: true, deployment: String(params.deployment) },
    })
    this.own.push(commit)
    return { outcome: 'pushed', commit, parent, skips, warnings: [] }
  }

  changes({ from, to, ignore = [] }: Readonly<Record<string, unknown>>) {
    const [old, now] = [this.#of(String(from)), this.#of(String(to))]
    const paths = [
      ...(old.origin === now.origin ? [] : ['index.html']),
      ...(old.blocks === now.blocks ? [] : ['URL.md']),
    ].filter(path => !(ignore as readonly string[]).includes(path))
    return { compared: 'yes', changed: paths.length, watched: paths.length, examples: paths }
  }

  #add(made: Omit<Commit, 'origin'> & { readonly origin?: string }): string {
    this.tip = createHash('sha1').update(`commit ${this.commits.length}`).digest('hex')
    this.commits.push(this.tip)
    this.#known.set(this.tip, { origin: this.tip, ...made })
    return this.tip
  }

  #of(commit: string): Commit {
    return this.#known.get(commit) ?? { origin: commit, blocks: new Map(), skips: false }
  }
}
