import { makeWeb } from '#cli/web-build.ts'

/** Builds the web interface when its sources have changed: what `fairlead up` does too. */
makeWeb(text => process.stdout.write(`${text}\n`))
