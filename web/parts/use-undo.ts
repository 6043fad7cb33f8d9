import { useToast } from '@nuxt/ui/composables/useToast'
import { asApiError } from '#web/api/use-query.ts'

const SHOWN_MS = 8000

/** A message of something that was done, with a way back for as long as it is shown. */
export function useUndo() {
  const toast = useToast()

  async function goBack(undo: () => unknown): Promise<void> {
    try {
      await undo()
    } catch (thrown) {
      const { message, hint } = asApiError(thrown)
      toast.add({ title: message, description: hint, color: 'error', icon: 'i-lucide-circle-alert' })
    }
  }

  function offer(title: string, undo: () => unknown): void {
    toast.add({
      title,
      duration: SHOWN_MS,
      icon: 'i-lucide-circle-check',
      actions: [{ label: 'Undo', color: 'neutral', variant: 'outline', onClick: () => void goBack(undo) }],
    })
  }

  return { offer }
}
