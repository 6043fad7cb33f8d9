import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freshBuild, programOf } from '#cli/part-program.ts'
import { makeWeb } from '#cli/web-build.ts'

/** Puts into dist/ what a package has instead of sources: the bundles, the web interface, and which packages they need. */
const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')

// Makes the bundles when there are none of these sources.
programOf('manager', ROOT)
makeWeb(text => process.stderr.write(`${text}\n`), ROOT)
const [parts, web] = [freshBuild(ROOT, 'parts'), freshBuild(ROOT, 'web')]
if (parts === undefined || web === undefined) {
  throw new Error(`${parts === undefined ? 'The bundles' : 'The web interface'} could not be made.`)
}
rmSync(DIST, { recursive: true, force: true })
mkdirSync(DIST)
cpSync(parts, DIST, { recursive: true })
cpSync(web, join(DIST, 'web'), { recursive: true })
// npm leaves it out of a package where it stands.
copyFileSync(join(ROOT, 'package-lock.json'), join(DIST, 'package-lock.json'))
