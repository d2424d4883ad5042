# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'review.txt'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    parent_template = None
    pass
    parent_template = environment.get_template('layout.txt', 'review.txt')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    yield from parent_template.root_render_func(context)

def block_lead(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_w = resolve('w')
    l_0_review = resolve('review')
    l_0_automatic_reviewer = resolve('automatic_reviewer')
    pass
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).lead())
    yield '\n'
    if (undefined(name='review') if l_0_review is missing else l_0_review):
        pass
        yield 'Resolution: '
        yield escape((undefined(name='review') if l_0_review is missing else l_0_review).status)
        yield '.\n'
        if (undefined(name='review') if l_0_review is missing else l_0_review).reason:
            pass
            yield 'Reason: '
            yield escape((undefined(name='review') if l_0_review is missing else l_0_review).reason)
            yield '.\n'
        if (((undefined(name='review') if l_0_review is missing else l_0_review).author == (undefined(name='automatic_reviewer') if l_0_automatic_reviewer is missing else l_0_automatic_reviewer)) and ('author' in (undefined(name='w') if l_0_w is missing else l_0_w).labels)):
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['author'])
            yield ': '
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).author((undefined(name='review') if l_0_review is missing else l_0_review).author, ))
            yield '\n'

def block_reason(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_w = resolve('w')
    pass
    if (undefined(name='request') if l_0_request is missing else l_0_request).reason:
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).labels['request_reason'])
        yield ': '
        yield escape((undefined(name='request') if l_0_request is missing else l_0_request).reason)
        yield '\n'

blocks = {'lead': block_lead, 'reason': block_reason}
debug_info = '1=14&2=19&3=32&4=34&5=37&6=39&7=42&9=44&10=46&14=51&15=63&16=65'
