# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'layout.txt'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_commands = resolve('commands')
    l_0_w = missing
    pass
    l_0_w = context.vars['w'] = environment.get_template('words.jinja', 'layout.txt').make_module(context.get_all(), True, {'w': l_0_w})
    context.exported_vars.discard('w')
    yield from context.blocks['lead'][0](context)
    yield '\n'
    def t_1(fiter):
        for l_1_command in fiter:
            if (environment.getattr(l_1_command, 'purpose') == 'use'):
                yield l_1_command
    for l_1_command in t_1((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        _loop_vars = {}
        pass
        yield str(environment.getitem(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'purposes'), environment.getattr(l_1_command, 'purpose')))
        yield ': '
        yield str(environment.getattr(l_1_command, 'line'))
        yield '\n\n'
    l_1_command = missing
    yield from context.blocks['lines'][0](context)
    def t_2(fiter):
        for l_1_command in fiter:
            if (environment.getattr(l_1_command, 'purpose') not in ['approve', 'deny', 'use']):
                yield l_1_command
    for l_1_command in t_2((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        _loop_vars = {}
        pass
        yield str(environment.getitem(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'purposes'), environment.getattr(l_1_command, 'purpose')))
        yield ': '
        yield str(environment.getattr(l_1_command, 'line'))
        yield '\n'
    l_1_command = missing
    if context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'next_step')):
        pass
        yield '\n'
        yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'next_step')))
        yield '\n'
    yield '\n'
    yield from context.blocks['details'][0](context)
    yield '\n-- \n'
    yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'footer')))
    yield '\n'

def block_lead(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_w = resolve('w')
    pass
    yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'lead'), _block_vars=_block_vars))
    yield '\n'

def block_lines(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_cluster = resolve('cluster')
    l_0_link = resolve('link')
    l_0_page = resolve('page')
    l_0_kind = resolve('kind')
    l_0_commands = resolve('commands')
    l_0_w = resolve('w')
    try:
        t_3 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    pass
    yield 'ID: '
    yield str(environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'id'))
    yield '\nCluster: '
    yield str((undefined(name='cluster') if l_0_cluster is missing else l_0_cluster))
    yield '\nUser: '
    yield str(environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'user'))
    yield '\nRole(s): '
    yield str(t_3(context.eval_ctx, environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'every_role'), ','))
    yield '\n'
    yield from context.blocks['reason'][0](context)
    if ((undefined(name='link') if l_0_link is missing else l_0_link) or ((undefined(name='page') if l_0_page is missing else l_0_page) and ((undefined(name='kind') if l_0_kind is missing else l_0_kind) == 'expired'))):
        pass
        yield 'Link: '
        yield str((undefined(name='page') if l_0_page is missing else l_0_page))
        yield '\n'
    def t_4(fiter):
        for l_1_command in fiter:
            if (environment.getattr(l_1_command, 'purpose') in ['approve', 'deny']):
                yield l_1_command
    for l_1_command in t_4((undefined(name='commands') if l_0_commands is missing else l_0_commands)):
        _loop_vars = {}
        pass
        yield str(environment.getitem(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'purposes'), environment.getattr(l_1_command, 'purpose')))
        yield ': '
        yield str(environment.getattr(l_1_command, 'line'))
        yield '\n'
    l_1_command = missing
    yield '\n'
    if ((undefined(name='kind') if l_0_kind is missing else l_0_kind) in ['review', 'reminder', 'escalation', 'received', 'ended']):
        pass
        yield str(environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'state'))
        yield ': '
        yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'state'), _block_vars=_block_vars))
        yield '\n'
    else:
        pass
        yield 'Status: '
        yield str(environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'status'))
        if environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'resolve_reason'):
            pass
            yield ' ('
            yield str(environment.getattr(environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'resolve_reason'), 'enclosed'))
            yield ')'
        yield '\n'

def block_reason(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_request = resolve('request')
    pass
    if environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reason'):
        pass
        yield 'Reason: '
        yield str(environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reason'))
        yield '\n'

def block_details(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_request = resolve('request')
    l_0_w = resolve('w')
    l_0_details = resolve('details')
    try:
        t_5 = environment.filters['length']
    except KeyError:
        @internalcode
        def t_5(*unused):
            raise TemplateRuntimeError("No filter named 'length' found.")
    pass
    if (t_5(environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'every_role')) >= 5):
        pass
        yield str(environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'roles'))
        yield ':\n'
        for l_1_role in environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'every_role'):
            _loop_vars = {}
            pass
            yield '  - '
            yield str(l_1_role)
            yield '\n'
        l_1_role = missing
    def t_6(fiter):
        for l_1_key in fiter:
            if (l_1_key in environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels')):
                yield l_1_key
    for l_1_key in t_6((undefined(name='details') if l_0_details is missing else l_0_details)):
        _loop_vars = {}
        pass
        if (l_1_key == 'resources'):
            pass
            yield str(environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'resources'))
            yield ':\n'
            for l_2_resource in environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'resources'):
                _loop_vars = {}
                pass
                yield '  - '
                yield str(context.call(environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'kinds'), 'get'), environment.getattr(l_2_resource, 'kind'), environment.getattr(l_2_resource, 'kind'), _loop_vars=_loop_vars))
                yield ' '
                yield str(environment.getattr(l_2_resource, 'name'))
                if environment.getattr(l_2_resource, 'cluster'):
                    pass
                    yield ' ('
                    yield str(environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'cluster'))
                    yield ' '
                    yield str(environment.getattr(l_2_resource, 'cluster'))
                    yield ')'
                yield '\n'
            l_2_resource = missing
            if environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'resources_more'):
                pass
                yield '  - '
                yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'more'), environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'resources_more'), _loop_vars=_loop_vars))
                yield '\n'
        elif (l_1_key == 'reviews'):
            pass
            yield str(environment.getattr(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), 'reviews'))
            yield ':\n'
            if environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reviews_before'):
                pass
                yield '  - '
                yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'earlier'), environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reviews_before'), _loop_vars=_loop_vars))
                yield '\n'
            for l_2_one in environment.getattr((undefined(name='request') if l_0_request is missing else l_0_request), 'reviews'):
                _loop_vars = {}
                pass
                yield '  - '
                yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'reviewed'), l_2_one, _loop_vars=_loop_vars))
                yield '\n'
                if environment.getattr(l_2_one, 'reason'):
                    pass
                    yield str(environment.getattr(environment.getattr(l_2_one, 'reason'), 'fenced'))
                    yield '\n'
            l_2_one = missing
        else:
            pass
            yield str(environment.getitem(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'labels'), l_1_key))
            yield ': '
            yield str(context.call(environment.getattr((undefined(name='w') if l_0_w is missing else l_0_w), 'fact'), l_1_key, _loop_vars=_loop_vars))
            yield '\n'
    l_1_key = missing

blocks = {'lead': block_lead, 'lines': block_lines, 'reason': block_reason, 'details': block_details}
debug_info = '1=13&2=15&6=17&7=24&10=29&34=30&35=37&37=42&39=45&42=48&77=50&2=53&3=62&10=65&11=87&12=89&13=91&14=93&15=95&20=96&21=99&23=101&24=108&27=114&28=116&30=123&15=131&16=140&17=143&42=146&43=163&44=165&45=167&46=171&49=174&50=181&51=183&52=185&53=189&56=201&57=204&59=206&60=208&61=210&62=213&64=215&65=219&66=221&67=223&71=228'
