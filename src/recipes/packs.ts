/** How the environment of a project is made; `none`: what the base image has is enough. */
export const PACKS = ['none', 'pip', 'uv', 'pipfile', 'conda', 'r', 'julia', 'docker'] as const
export type Pack = (typeof PACKS)[number]
export type Language = 'python' | 'r' | 'julia'

/** Files that say what a project needs: with one of them a folder with notebooks is a project of its own. */
export const DEPENDENCY_FILES: ReadonlySet<string> = new Set([
  'Dockerfile',
  'JuliaProject.toml',
  'Project.toml',
  'REQUIRE',
  'default.nix',
  'runtime.txt',
  'install.R',
  'renv.lock',
  'DESCRIPTION',
  'pixi.toml',
  'pixi.lock',
  'environment.yml',
  'environment.yaml',
  'conda-lock.yml',
  'anaconda-project.yml',
  'uv.lock',
  'pyproject.toml',
  'Pipfile',
  'Pipfile.lock',
  'requirements.txt',
  'setup.py',
  'apt.txt',
  'postBuild',
])

/** What else belongs to the configuration of an environment. */
export const CONFIG_FILES: ReadonlySet<string> = new Set([
  ...DEPENDENCY_FILES,
  'Manifest.toml',
  'JuliaManifest.toml',
  'requirements3.txt',
  'start',
  '.dockerignore',
  '.containerignore',
  '.python-version',
])

/** Folders that hold the configuration in place of the project's own. */
export const CONFIG_FOLDERS = ['.binder', 'binder'] as const
