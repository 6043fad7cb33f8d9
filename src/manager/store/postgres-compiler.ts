import {
  type BinaryOperationNode,
  OperatorNode,
  PostgresQueryCompiler,
  PrimitiveValueListNode,
  ValueNode,
} from 'kysely'

/** Where both databases know an operator but mean something else by it, SQLite's meaning holds. */
export class SameMeaningCompiler extends PostgresQueryCompiler {
  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const { leftOperand, operator, rightOperand } = node
    // An empty list is no syntax of PostgreSQL's: nothing is in it.
    if (PrimitiveValueListNode.is(rightOperand) && rightOperand.values.length === 0) {
      this.append(OperatorNode.is(operator) && operator.operator === 'not in' ? 'true' : 'false')
      return
    }
    const word = OperatorNode.is(operator) ? SAME[operator.operator] : undefined
    // "is null" is understood, and finds its index.
    if (word === undefined || (ValueNode.is(rightOperand) && rightOperand.immediate)) {
      super.visitBinaryOperation(node)
      return
    }
    this.visitNode(leftOperand)
    this.append(` ${word} `)
    this.visitNode(rightOperand)
    if (word.endsWith('like')) {
      this.append(" escape ''")
    }
  }
}

/** Upper and lower case are one to SQLite's "like", which takes no letter for an escape. */
const SAME: Readonly<Record<string, string>> = {
  is: 'is not distinct from',
  'is not': 'is distinct from',
  like: 'ilike',
  'not like': 'not ilike',
}
