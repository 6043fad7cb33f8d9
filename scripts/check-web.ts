import { createRequire } from 'node:module'
import { join } from 'node:path'

/** Checks the types of the web interface. vue-tsc works with the compiler that is written in JavaScript. */
const require = createRequire(import.meta.url)
const { run } = require('vue-tsc') as { run(compiler: string): void }
process.argv.push('--project', join(import.meta.dirname, '../web/tsconfig.json'))
run(require.resolve('typescript-js/lib/tsc.js'))
