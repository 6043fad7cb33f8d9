import { defineCommand } from './command.ts'
import { NotebookContent, NotebookContentData } from './notebook-data.ts'

const BUILD_MS = 60 * 60_000

export const notebookContent = defineCommand({
  name: 'notebook.content',
  summary:
    "Adds a notebook project's files to its environment, as a layer wherever nothing has to be executed.",
  role: 'worker',
  data: NotebookContentData,
  result: NotebookContent,
  deadlineMs: BUILD_MS,
  lock: data => `notebook:${data.slug}`,
  async run(hands, data) {
    const { makeContent } = await import('./notebook-make.ts')
    return makeContent(hands, data)
  },
})
