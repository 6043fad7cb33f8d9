import { defineCommand } from './command.ts'
import { NotebookScanData, NotebookScanned } from './notebook-scan-data.ts'

export const notebookScan = defineCommand({
  name: 'notebook.scan',
  summary: 'Finds the notebook projects of a commit, with the keys of their images.',
  role: 'worker',
  looksOnly: true,
  data: NotebookScanData,
  result: NotebookScanned,
  deadlineMs: 60_000,
  async run(hands, data) {
    const { scanCommit } = await import('./notebook-look.ts')
    return scanCommit(hands, data)
  },
})
