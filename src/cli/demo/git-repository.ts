import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SEARCH_PATH } from './background-process.ts'

/** Git's environment in the demo: no settings of the machine or of the person who runs it. */
export const GIT_ENVIRONMENT = {
  PATH: SEARCH_PATH,
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
} as const

const SETTINGS = [
  // A deployment fetches the exact commit of the push, which the branch may have left meanwhile.
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['receive.advertisePushOptions', 'true'],
] as const

const execFileAsync = promisify(execFile)

/** Makes an empty bare repository (or leaves the one that is there) with default branch main; gives its folder. */
export async function createBareRepository(folder: string): Promise<string> {
  await git(['init', '--quiet', '--bare', '--initial-branch=main', folder])
  for (const [key, value] of SETTINGS) {
    await git(['-C', folder, 'config', key, value])
  }
  return folder
}

/** Commit (or tag object) by full ref name; empty for a repository that is not there. */
export async function readRefs(folder: string): Promise<Map<string, string>> {
  try {
    const output = await git(['-C', folder, 'for-each-ref', '--format=%(objectname) %(refname)'])
    return new Map(output.split('\n').flatMap(line => (line ? [[line.slice(41), line.slice(0, 40)]] : [])))
  } catch {
    return new Map()
  }
}

async function git(args: readonly string[]): Promise<string> {
  const { stdout } = await execFileAsync('git', args, { env: GIT_ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}
