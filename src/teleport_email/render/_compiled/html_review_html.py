# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'review.html'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    parent_template = None
    pass
    parent_template = environment.get_template('layout.html', 'review.html')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    yield from parent_template.root_render_func(context)

def block_decision(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_review = resolve('review')
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    pass
    if ((undefined(name='review') if l_0_review is missing else l_0_review) and environment.getattr((undefined(name='review') if l_0_review is missing else l_0_review), 'reason')):
        pass
        yield escape(context.call((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted), environment.getattr((undefined(name='review') if l_0_review is missing else l_0_review), 'reason'), environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'reason'), _block_vars=_block_vars))
        yield '\n'

def block_reason(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_quoted = resolve('quoted')
    l_0_w = resolve('w')
    pass
    if environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reason'):
        pass
        yield escape(context.call((undefined(name='quoted') if l_0_quoted is missing else l_0_quoted), environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reason'), environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'request_reason'), True, _block_vars=_block_vars))
        yield '\n'

blocks = {'decision': block_decision, 'reason': block_reason}
debug_info = '1=12&2=17&3=28&4=30&7=33&8=44&9=46'
