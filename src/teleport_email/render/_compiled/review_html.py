# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'review.html'

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
    parent_template = environment.get_template('layout.html', 'review.html')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    yield from parent_template.root_render_func(context)

def block_decision(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_review = resolve('review')
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    pass
    if ((undefined(name='review') if l_0_review is missing else l_0_review) and (undefined(name='review') if l_0_review is missing else l_0_review).reason):
        pass
        yield escape((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted)((undefined(name='review') if l_0_review is missing else l_0_review).reason, (undefined(name='w') if l_0_w is missing else l_0_w).labels['reason'], ))
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
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    pass
    if (undefined(name='request') if l_0_request is missing else l_0_request).reason:
        pass
        yield escape((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted)((undefined(name='request') if l_0_request is missing else l_0_request).reason, (undefined(name='w') if l_0_w is missing else l_0_w).labels['request_reason'], True, ))
        yield '\n'

blocks = {'decision': block_decision, 'reason': block_reason}
debug_info = '1=14&2=19&3=32&4=34&7=37&8=50&9=52'
