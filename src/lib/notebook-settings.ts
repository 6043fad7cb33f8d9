import { ORCHESTRATOR_SETTINGS } from './orchestrator-settings.ts'
import type { Setting } from './setting.ts'

/** Of notebooks (docs/notebooks.md). */
export const NOTEBOOK_SETTINGS = [
  {
    name: 'FAIRLEAD_NOTEBOOKS_FILE',
    of: ['manager'],
    means: 'a JSON file with the base images of notebooks ([notebooks.md](notebooks.md))',
    default: 'none: only projects with a Dockerfile of their own are served',
    value: 'path',
  },
  ...ORCHESTRATOR_SETTINGS,
] as const satisfies readonly Setting[]
