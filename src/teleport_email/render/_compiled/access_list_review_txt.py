# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'access_list_review.txt'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    l_0_w = resolve('w')
    l_0_page = resolve('page')
    l_0_own = missing
    try:
        t_1 = environment.tests['defined']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No test named 'defined' found.")
    pass
    l_0_own = context.vars['own'] = environment.get_template('words.jinja', 'access_list_review.txt').make_module(context.get_all(), True, {'own': l_0_own, 'w': l_0_w})
    context.exported_vars.discard('own')
    if t_1((undefined(name='own') if l_0_own is missing else l_0_own).list_labels):
        pass
        l_0_w = (undefined(name='own') if l_0_own is missing else l_0_own)
        context.vars['w'] = l_0_w
        context.exported_vars.add('w')
    else:
        pass
        l_0_w = context.vars['w'] = environment.get_template('builtin/words.jinja', 'access_list_review.txt').make_module(context.get_all(), True, {'own': l_0_own, 'w': l_0_w})
        context.exported_vars.discard('w')
    yield from context.blocks['lead'][0](context)
    yield '\n'
    yield from context.blocks['lines'][0](context)
    yield from context.blocks['lists'][0](context)
    yield '\n'
    if (not (undefined(name='page') if l_0_page is missing else l_0_page)):
        pass
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_no_link())
        yield '\n'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_next_step())
    yield '\n\n-- \n'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_footer())
    yield '\n'

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
    pass
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_lead())
    yield '\n'

def block_lines(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_cluster = resolve('cluster')
    l_0_total = resolve('total')
    l_0_page = resolve('page')
    pass
    yield 'Cluster: '
    yield escape((undefined(name='cluster') if l_0_cluster is missing else l_0_cluster))
    yield '\n'
    if ((undefined(name='total') if l_0_total is missing else l_0_total) > 1):
        pass
        yield 'Access Lists: '
        yield escape((undefined(name='total') if l_0_total is missing else l_0_total))
        yield '\n'
        if (undefined(name='page') if l_0_page is missing else l_0_page):
            pass
            yield 'Link: '
            yield escape((undefined(name='page') if l_0_page is missing else l_0_page))
            yield '\n'

def block_lists(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_lists = resolve('lists')
    l_0_lists_more = resolve('lists_more')
    l_0_w = resolve('w')
    try:
        t_2 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    pass
    for l_1_each in (undefined(name='lists') if l_0_lists is missing else l_0_lists):
        l_1_total = resolve('total')
        _loop_vars = {}
        pass
        if ((undefined(name='total') if l_1_total is missing else l_1_total) > 1):
            pass
            yield '\n'
        yield 'Access List: '
        yield escape(l_1_each.title)
        yield '\nName: '
        yield escape(l_1_each.name)
        yield '\nDue: '
        yield escape(l_1_each.due)
        yield ' ('
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_days(l_1_each.days, ))
        yield ')\n'
        if l_1_each.every_role:
            pass
            yield 'Role(s): '
            yield escape(t_2(context.eval_ctx, l_1_each.every_role, ','))
            yield '\n'
        if l_1_each.link:
            pass
            yield 'Link: '
            yield escape(l_1_each.link)
            yield '\n'
        if (undefined(name='w') if l_0_w is missing else l_0_w).list_members(l_1_each, ):
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['members'])
            yield ': '
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_members(l_1_each, ))
            yield '\n'
        if l_1_each.ownerless:
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_ownerless())
            yield '\n'
        if l_1_each.description:
            pass
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['description'])
            yield ': '
            yield escape(l_1_each.description)
            yield '\n'
    l_1_each = l_1_total = missing
    if (undefined(name='lists_more') if l_0_lists_more is missing else l_0_lists_more):
        pass
        yield '\n'
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_more((undefined(name='lists_more') if l_0_lists_more is missing else l_0_lists_more), ))
        yield '\n'

blocks = {'lead': block_lead, 'lines': block_lines, 'lists': block_lists}
debug_info = '1=22&3=24&4=26&6=31&8=33&12=35&21=36&51=38&52=40&54=42&57=44&8=47&9=58&12=61&13=75&14=77&15=80&16=82&17=85&21=88&22=107&23=111&26=115&27=117&28=119&29=123&30=126&32=128&33=131&35=133&36=135&38=139&39=141&41=143&42=145&45=150&47=153'
