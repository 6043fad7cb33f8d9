import { copy, run, type Writing } from './draft.ts'
import { DEPENDENCIES, PROJECT, type RunStep } from './recipe.ts'

const LIBRARY = '/opt/rlibs'
const SITE = '/opt/nb-r'

/** install.R, renv.lock or DESCRIPTION, with the packages of one day; what does not install fails the build. */
export function writeR(writing: Writing): void {
  const { texts, draft, detected, date } = writing
  const { config, settings } = texts
  const day = detected.r?.date ?? date
  draft.environment.variables.R_LIBS_USER = LIBRARY
  if (day !== undefined) {
    draft.files.push({ path: 'r-site/Rprofile.site', content: siteProfile(day) })
    draft.environment.variables.R_PROFILE = `${SITE}/Rprofile.site`
    draft.environment.steps.push(copy('r-site', SITE))
  }
  if (config.has('renv.lock')) {
    draft.inputs.add(config.place('renv.lock'))
    draft.files.push(
      { path: 'renv/renv.lock', content: config.text('renv.lock') },
      { path: 'renv/restore.R', content: RESTORE },
    )
    draft.environment.steps.push(script('restore R packages', `${DEPENDENCIES}/restore.R`, { sees: 'renv' }))
  }
  if (config.has('install.R') && settings.env?.r?.needsSource) {
    draft.project.steps.push(script('run install.R', config.place('install.R'), { folder: PROJECT }))
  } else if (config.has('install.R')) {
    draft.inputs.add(config.place('install.R'))
    draft.files.push({ path: 'r/install.R', content: config.text('install.R') })
    draft.environment.steps.push(script('run install.R', `${DEPENDENCIES}/install.R`, { sees: 'r' }))
  }
  writeDescription(writing)
}

/** nb-rscript of the base image fails for a script that fails, and for a package that was not installed. */
function script(what: string, file: string, more: Partial<RunStep>): RunStep {
  return run(what, ['nb-rscript', file], more)
}

function siteProfile(day: string): string {
  return `options(repos = c(CRAN = "https://packagemanager.posit.co/cran/${day}"))\n`
}

const RESTORE = [
  'if (!requireNamespace("renv", quietly = TRUE)) install.packages("renv")',
  `renv::restore(lockfile = "${DEPENDENCIES}/renv.lock", library = "${LIBRARY}", prompt = FALSE)`,
  '',
].join('\n')

/** What the package needs, early; the package itself when its files are there. */
function writeDescription({ texts, draft, folder }: Writing): void {
  if (texts.config.path !== '' || !folder.has('DESCRIPTION')) {
    return
  }
  const fields = fieldsOf(folder.text('DESCRIPTION') ?? '')
  const wanted = ['Depends', 'Imports', 'LinkingTo'].flatMap(field => packagesIn(fields.get(field) ?? ''))
  const packages = [...new Set(wanted)].sort()
  if (packages.length > 0) {
    const list = packages.map(name => JSON.stringify(name)).join(', ')
    draft.inputs.add('DESCRIPTION#Imports')
    draft.files.push({ path: 'r-package/install.R', content: `install.packages(c(${list}))\n` })
    draft.environment.steps.push(
      script('install what the package needs', `${DEPENDENCIES}/install.R`, { sees: 'r-package' }),
    )
  }
  if (fields.has('Remotes')) {
    draft.warnings.push({
      code: 'REMOTES_IGNORED',
      file: 'DESCRIPTION',
      message: 'Packages named in "Remotes" are not installed.',
      hint: 'Install them in install.R, from a commit.',
    })
  }
  draft.project.steps.push(
    run('install the package', ['R', 'CMD', 'INSTALL', '--no-docs', `--library=${LIBRARY}`, '.'], {
      folder: PROJECT,
    }),
  )
}

function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  let last = ''
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = /^([A-Za-z][A-Za-z0-9@/-]*):(.*)$/.exec(line) ?? []
    if (name !== undefined) {
      last = name
      fields.set(name, value)
    } else if (/^\s/.test(line) && last !== '') {
      fields.set(last, `${fields.get(last)} ${line}`)
    }
  }
  return fields
}

/** Names only: which version fits is the business of the snapshot. R itself has its packages already. */
function packagesIn(list: string): string[] {
  const own = ['R', 'base', 'methods', 'stats', 'utils', 'graphics', 'grDevices', 'tools', 'parallel', 'grid']
  return list
    .split(',')
    .map(each => each.replace(/\(.*$/s, '').trim())
    .filter(name => /^[A-Za-z][A-Za-z0-9.]*[A-Za-z0-9]$/.test(name) && !own.includes(name))
}
