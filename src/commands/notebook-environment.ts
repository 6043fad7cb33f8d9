import { defineCommand } from './command.ts'
import { NotebookEnvironment, NotebookEnvironmentData } from './notebook-data.ts'

const BUILD_MS = 60 * 60_000

export const notebookEnvironment = defineCommand({
  name: 'notebook.environment',
  summary:
    'Builds the image that a notebook project needs before its files, unless one with the same key exists.',
  role: 'worker',
  data: NotebookEnvironmentData,
  result: NotebookEnvironment,
  deadlineMs: BUILD_MS,
  // Projects with equal needs share one: the second then finds the image of the first.
  lock: data => `notebook:${data.key}`,
  async run(hands, data) {
    const { makeEnvironment } = await import('./notebook-make.ts')
    return makeEnvironment(hands, data)
  },
})
