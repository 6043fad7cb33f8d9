import { pipListsOf } from './config-texts.ts'
import type { ConfigTexts } from './detect.ts'
import type { Diagnostic } from './diagnostic.ts'
import { isLocalRequirement } from './local-requirement.ts'
import { DEPENDENCY_FILES, type Language, type Pack } from './packs.ts'

const EVERYWHERE = ['apt.txt', 'postBuild']
const PYTHON_PROJECT = ['pyproject.toml', 'setup.py']

/** Which files each pack uses. */
const USED: Readonly<Record<Pack, readonly string[]>> = {
  none: EVERYWHERE,
  pip: [...EVERYWHERE, 'requirements.txt', ...PYTHON_PROJECT],
  uv: [...EVERYWHERE, 'uv.lock', 'pyproject.toml'],
  pipfile: [...EVERYWHERE, 'Pipfile', 'Pipfile.lock'],
  conda: EVERYWHERE,
  r: [...EVERYWHERE, 'install.R', 'renv.lock', 'requirements.txt'],
  julia: [...EVERYWHERE, 'Project.toml', 'JuliaProject.toml', 'requirements.txt'],
  docker: ['Dockerfile'],
}

/** The first part of the code of a warning, where it is not the name of the file. */
const CODES: Readonly<Record<string, string>> = {
  'requirements.txt': 'REQUIREMENTS',
  'environment.yml': 'ENVIRONMENT',
  'environment.yaml': 'ENVIRONMENT',
  'pyproject.toml': 'PYPROJECT',
  'setup.py': 'SETUP',
  'runtime.txt': 'RUNTIME',
  postBuild: 'POST_BUILD',
  'apt.txt': 'APT',
}

/** A warning for each file that says what is needed, and that nobody listens to. */
export function ignoredFiles(texts: ConfigTexts, pack: Pack, language: Language): Diagnostic[] {
  const { config, folder } = texts
  const used = new Set([...USED[pack], ...usedBesides(texts, pack, language)])
  const candidates = [...DEPENDENCY_FILES, 'requirements3.txt']
  const here = candidates.filter(name => config.has(name) && !used.has(name)).map(config.place)
  const above = config.path === '' ? [] : candidates.filter(name => folder.has(name) && !used.has(`/${name}`))
  return [...here, ...above]
    .filter(path => !path.endsWith('pyproject.toml') || namesPackages(folder.text(path) ?? ''))
    .sort()
    .map(file => {
      const name = file.slice(file.lastIndexOf('/') + 1)
      const isAbove = config.path !== '' && !file.startsWith(`${config.path}/`)
      return {
        code: `${CODES[name] ?? codeOf(name)}_IGNORED`,
        file,
        message: isAbove
          ? `It is not used: the configuration is in ${config.path}.`
          : `It is not used: the environment is made with ${pack === 'none' ? 'the base image alone' : pack}.`,
        hint: 'Remove it, or move what it asks for into the file that is used.',
      }
    })
}

function usedBesides(texts: ConfigTexts, pack: Pack, language: Language): string[] {
  const { condaFile, runtime, config } = texts
  const isHeard = runtime?.name === 'python' || (runtime?.name === 'r' && language === 'r')
  return [
    ...(pack !== 'docker' && isHeard ? ['runtime.txt'] : []),
    ...(pack === 'r' && config.path === '' ? ['DESCRIPTION'] : []),
    ...(pack === 'conda' && condaFile ? [condaFile] : []),
    ...(pack === 'conda' && condaFile && pipListsOf(texts.environment()).flat().some(isLocalRequirement)
      ? PYTHON_PROJECT
      : []),
  ]
}

/** Tools keep their settings in pyproject.toml too; that is no list of packages. */
function namesPackages(text: string): boolean {
  return /^[ \t]*\[(?:project|tool\.poetry)\b/m.test(text)
}

/** `conda-lock.yml` is CONDA_LOCK_YML. */
function codeOf(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase()
}
