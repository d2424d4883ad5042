# Made of templates/ by packaging/templates.py. Do not edit.
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'access_list_review.html'

def root(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    parent_template = None
    l_0_w = resolve('w')
    l_0_own = l_0_button = l_0_font = l_0_mono = l_0_row = l_0_state_pill = l_0_colours = l_0_mark = l_0_description = l_0_roles = missing
    try:
        t_1 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    try:
        t_2 = environment.tests['defined']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No test named 'defined' found.")
    pass
    parent_template = environment.get_template('frame.html', 'access_list_review.html')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    l_0_own = context.vars['own'] = environment.get_template('words.jinja', 'access_list_review.html').make_module(context.get_all(), True, {'button': l_0_button, 'colours': l_0_colours, 'description': l_0_description, 'font': l_0_font, 'mark': l_0_mark, 'mono': l_0_mono, 'own': l_0_own, 'roles': l_0_roles, 'row': l_0_row, 'state_pill': l_0_state_pill, 'w': l_0_w})
    context.exported_vars.discard('own')
    if t_2((undefined(name='own') if l_0_own is missing else l_0_own).list_labels):
        pass
        l_0_w = (undefined(name='own') if l_0_own is missing else l_0_own)
        context.vars['w'] = l_0_w
        context.exported_vars.add('w')
    else:
        pass
        l_0_w = context.vars['w'] = environment.get_template('builtin/words.jinja', 'access_list_review.html').make_module(context.get_all(), True, {'button': l_0_button, 'colours': l_0_colours, 'description': l_0_description, 'font': l_0_font, 'mark': l_0_mark, 'mono': l_0_mono, 'own': l_0_own, 'roles': l_0_roles, 'row': l_0_row, 'state_pill': l_0_state_pill, 'w': l_0_w})
        context.exported_vars.discard('w')
    included_template = environment.get_template('builtin/elements.html', 'access_list_review.html')._get_default_module(context)
    l_0_button = getattr(included_template, 'button', missing)
    if l_0_button is missing:
        l_0_button = undefined(f"the template {included_template.__name__!r} (imported on line 9 in 'access_list_review.html') does not export the requested name 'button'", name='button')
    l_0_font = getattr(included_template, 'font', missing)
    if l_0_font is missing:
        l_0_font = undefined(f"the template {included_template.__name__!r} (imported on line 9 in 'access_list_review.html') does not export the requested name 'font'", name='font')
    l_0_mono = getattr(included_template, 'mono', missing)
    if l_0_mono is missing:
        l_0_mono = undefined(f"the template {included_template.__name__!r} (imported on line 9 in 'access_list_review.html') does not export the requested name 'mono'", name='mono')
    l_0_row = getattr(included_template, 'row', missing)
    if l_0_row is missing:
        l_0_row = undefined(f"the template {included_template.__name__!r} (imported on line 9 in 'access_list_review.html') does not export the requested name 'row'", name='row')
    l_0_state_pill = getattr(included_template, 'state_pill', missing)
    if l_0_state_pill is missing:
        l_0_state_pill = undefined(f"the template {included_template.__name__!r} (imported on line 9 in 'access_list_review.html') does not export the requested name 'state_pill'", name='state_pill')
    context.vars.update({'button': l_0_button, 'font': l_0_font, 'mono': l_0_mono, 'row': l_0_row, 'state_pill': l_0_state_pill})
    context.exported_vars.difference_update(('button', 'font', 'mono', 'row', 'state_pill'))
    l_0_colours = {'DUE': ('pending', '#fff3cd', '#5f4300', '#e0a800'), 'OVERDUE': ('denied', '#fde3e3', '#8a1414', '#d64545')}
    context.vars['colours'] = l_0_colours
    context.exported_vars.add('colours')
    l_0_mark = {'DUE': '⏳', 'OVERDUE': '⚠️'}
    context.vars['mark'] = l_0_mark
    context.exported_vars.add('mark')
    def macro(l_1_quote):
        t_3 = []
        if l_1_quote is missing:
            l_1_quote = undefined("parameter 'quote' was not provided", name='quote')
        pass
        t_3.append(
            '<div class="box" dir="auto" style="margin:4px 0 0;background-color:#f4f6f9;border-left:3px solid #7b8794;padding:4px 10px;color:#1f2933;word-break:break-word">',
        )
        l_2_loop = missing
        for l_2_line, l_2_loop in LoopContext(l_1_quote.lines, undefined):
            _loop_vars = {}
            pass
            t_3.append(
                escape(l_2_line),
            )
            if (not l_2_loop.last):
                pass
                t_3.append(
                    '<br>',
                )
        l_2_loop = l_2_line = missing
        t_3.append(
            '</div>\n',
        )
        return Markup(concat(t_3))
    context.exported_vars.add('description')
    context.vars['description'] = l_0_description = macro
    def macro(l_1_some):
        t_4 = []
        if l_1_some is missing:
            l_1_some = undefined("parameter 'some' was not provided", name='some')
        pass
        t_4.append(
            escape(t_1(context.eval_ctx, l_1_some.items, ', ')),
        )
        if l_1_some.more:
            pass
            t_4.extend((
                ' ',
                escape((undefined(name='w') if l_0_w is missing else l_0_w).more(l_1_some.more, )),
            ))
        return Markup(concat(t_4))
    context.exported_vars.add('roles')
    context.vars['roles'] = l_0_roles = macro
    yield from parent_template.root_render_func(context)

def block_title(context, missing=missing):
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
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_title())

def block_preheader(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_w = resolve('w')
    try:
        t_5 = environment.filters['striptags']
    except KeyError:
        @internalcode
        def t_5(*unused):
            raise TemplateRuntimeError("No filter named 'striptags' found.")
    pass
    yield escape(t_5((undefined(name='w') if l_0_w is missing else l_0_w).list_preheader()))

def block_accent(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_colours = resolve('colours')
    l_0_state = resolve('state')
    pass
    yield escape((undefined(name='colours') if l_0_colours is missing else l_0_colours)[(undefined(name='state') if l_0_state is missing else l_0_state)][3])

def block_page(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_font = resolve('font')
    l_0_w = resolve('w')
    pass
    yield from context.blocks['heading'][0](context)
    yield from context.blocks['lists'][0](context)
    yield '<p class="muted" style="margin:12px 0 0;color:#52606d;'
    yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
    yield ';font-size:14px;line-height:20px">'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_next_step())
    yield '</p>\n'

def block_heading(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_state_pill = resolve('state_pill')
    l_0_colours = resolve('colours')
    l_0_state = resolve('state')
    l_0_font = resolve('font')
    l_0_w = resolve('w')
    l_0_total = resolve('total')
    l_0_first = resolve('first')
    l_0_page = resolve('page')
    pass
    yield '<div style="margin:0 0 6px">'
    def macro():
        t_6 = []
        l_1_mark = resolve('mark')
        pass
        t_6.extend((
            escape((undefined(name='mark') if l_1_mark is missing else l_1_mark)[(undefined(name='state') if l_0_state is missing else l_0_state)]),
            '&nbsp;',
            escape((undefined(name='w') if l_0_w is missing else l_0_w).list_state()),
        ))
        return Markup(concat(t_6))
    caller = macro
    yield (undefined(name='state_pill') if l_0_state_pill is missing else l_0_state_pill)((undefined(name='colours') if l_0_colours is missing else l_0_colours)[(undefined(name='state') if l_0_state is missing else l_0_state)], caller)
    yield '</div>\n<h1 class="text" style="margin:0 0 4px;color:#1f2933;'
    yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
    yield ';font-size:20px;line-height:26px;font-weight:700">'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_title())
    yield '</h1>\n<p class="text" style="margin:0 0 10px;color:#1f2933;'
    yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
    yield ';font-size:16px;line-height:23px;word-break:break-word">'
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_summary())
    yield '</p>\n'
    if (((undefined(name='total') if l_0_total is missing else l_0_total) == 1) and (undefined(name='first') if l_0_first is missing else l_0_first).ownerless):
        pass
        yield '<p class="text" style="margin:0 0 10px;color:#1f2933;'
        yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
        yield ';font-size:16px;line-height:23px">'
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_ownerless())
        yield '</p>\n'
    if (not (undefined(name='page') if l_0_page is missing else l_0_page)):
        pass
        yield '<p class="text" style="margin:0 0 10px;color:#1f2933;'
        yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
        yield ';font-size:16px;line-height:23px">'
        yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_no_link())
        yield '</p>\n'

def block_lists(context, missing=missing):
    environment = context.environment
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    escape, Markup, markup_join = environment.output
    _block_vars = {}
    l_0_total = resolve('total')
    l_0_first = resolve('first')
    l_0_button = resolve('button')
    l_0_w = resolve('w')
    l_0_row = resolve('row')
    l_0_lists = resolve('lists')
    l_0_lists_more = resolve('lists_more')
    l_0_font = resolve('font')
    l_0_page = resolve('page')
    pass
    if ((undefined(name='total') if l_0_total is missing else l_0_total) == 1):
        pass
        if (undefined(name='first') if l_0_first is missing else l_0_first).link:
            pass
            yield escape((undefined(name='button') if l_0_button is missing else l_0_button)((undefined(name='first') if l_0_first is missing else l_0_first).link, (undefined(name='w') if l_0_w is missing else l_0_w).list_button(), ))
            yield '\n'
        yield '<table width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;border-collapse:collapse">\n'
        def macro():
            t_7 = []
            pass
            t_7.append(
                escape((undefined(name='first') if l_0_first is missing else l_0_first).title),
            )
            return Markup(concat(t_7))
        caller = macro
        yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['list'], caller)
        def macro():
            t_8 = []
            pass
            t_8.extend((
                escape((undefined(name='first') if l_0_first is missing else l_0_first).due),
                ' (',
                escape((undefined(name='w') if l_0_w is missing else l_0_w).list_days((undefined(name='first') if l_0_first is missing else l_0_first).days, )),
                ')',
            ))
            return Markup(concat(t_8))
        caller = macro
        yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['due'], caller)
        if (undefined(name='w') if l_0_w is missing else l_0_w).list_members((undefined(name='first') if l_0_first is missing else l_0_first), ):
            pass
            def macro():
                t_9 = []
                pass
                t_9.append(
                    escape((undefined(name='w') if l_0_w is missing else l_0_w).list_members((undefined(name='first') if l_0_first is missing else l_0_first), )),
                )
                return Markup(concat(t_9))
            caller = macro
            yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['members'], caller)
        if (undefined(name='first') if l_0_first is missing else l_0_first).roles:
            pass
            def macro():
                t_10 = []
                l_1_roles = resolve('roles')
                pass
                t_10.append(
                    escape((undefined(name='roles') if l_1_roles is missing else l_1_roles)((undefined(name='first') if l_0_first is missing else l_0_first).roles, )),
                )
                return Markup(concat(t_10))
            caller = macro
            yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['grants'], caller)
        if (undefined(name='first') if l_0_first is missing else l_0_first).description:
            pass
            def macro():
                t_11 = []
                l_1_description = resolve('description')
                pass
                t_11.append(
                    escape((undefined(name='description') if l_1_description is missing else l_1_description)((undefined(name='first') if l_0_first is missing else l_0_first).description, )),
                )
                return Markup(concat(t_11))
            caller = macro
            yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['description'], caller)
        def macro():
            t_12 = []
            l_1_cluster = resolve('cluster')
            pass
            t_12.append(
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
            )
            return Markup(concat(t_12))
        caller = macro
        yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).labels['cluster'], caller)
        def macro():
            t_13 = []
            l_1_mono = resolve('mono')
            pass
            t_13.extend((
                '<span style="',
                escape((undefined(name='mono') if l_1_mono is missing else l_1_mono)),
                ';font-size:13px">',
                escape((undefined(name='first') if l_0_first is missing else l_0_first).name),
                '</span>',
            ))
            return Markup(concat(t_13))
        caller = macro
        yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['name'], caller)
        yield '</table>\n'
    else:
        pass
        yield '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;border-collapse:collapse">\n'
        for l_1_each in (undefined(name='lists') if l_0_lists is missing else l_0_lists):
            l_1_mark = resolve('mark')
            l_1_roles = resolve('roles')
            l_1_description = resolve('description')
            _loop_vars = {}
            pass
            yield '<tr><td class="text line" align="left" style="padding:12px 0 14px;border-top:1px solid #d9dfe6;color:#1f2933;'
            yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
            yield ';font-size:14px;line-height:20px;word-break:break-word">\n<h2 style="margin:0;font-size:16px;line-height:22px;font-weight:700">'
            yield escape(l_1_each.title)
            yield '</h2>\n<div>'
            if (l_1_each.days < 0):
                pass
                yield escape((undefined(name='mark') if l_1_mark is missing else l_1_mark)['OVERDUE'])
                yield '&nbsp;'
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['due'])
            yield ' '
            yield escape(l_1_each.due)
            yield ' (<span style="font-weight:700">'
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_days(l_1_each.days, ))
            yield '</span>)</div>\n'
            if (undefined(name='w') if l_0_w is missing else l_0_w).list_members(l_1_each, ):
                pass
                yield '<div><span class="muted" style="color:#52606d">'
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['members'])
                yield '</span> '
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_members(l_1_each, ))
                yield '</div>\n'
            if l_1_each.roles:
                pass
                yield '<div><span class="muted" style="color:#52606d">'
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_labels['grants'])
                yield '</span> '
                yield escape((undefined(name='roles') if l_1_roles is missing else l_1_roles)(l_1_each.roles, ))
                yield '</div>\n'
            if l_1_each.ownerless:
                pass
                yield '<div>'
                yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_ownerless())
                yield '</div>\n'
            if l_1_each.description:
                pass
                yield escape((undefined(name='description') if l_1_description is missing else l_1_description)(l_1_each.description, ))
                yield '\n'
            if l_1_each.link:
                pass
                yield escape((undefined(name='button') if l_0_button is missing else l_0_button)(l_1_each.link, (undefined(name='w') if l_0_w is missing else l_0_w).list_button(l_1_each.short, ), True, ))
                yield '\n'
            yield '</td></tr>\n'
        l_1_each = l_1_mark = l_1_roles = l_1_description = missing
        yield '</table>\n'
        if (undefined(name='lists_more') if l_0_lists_more is missing else l_0_lists_more):
            pass
            yield '<p class="text" style="margin:0 0 12px;color:#1f2933;'
            yield escape((undefined(name='font') if l_0_font is missing else l_0_font))
            yield ';font-size:16px;line-height:23px">'
            yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_more((undefined(name='lists_more') if l_0_lists_more is missing else l_0_lists_more), ))
            yield '</p>\n'
        if (undefined(name='page') if l_0_page is missing else l_0_page):
            pass
            yield '<div style="height:12px;font-size:1px;line-height:12px">&nbsp;</div>\n'
            yield escape((undefined(name='button') if l_0_button is missing else l_0_button)((undefined(name='page') if l_0_page is missing else l_0_page), (undefined(name='w') if l_0_w is missing else l_0_w).list_page(), ))
            yield '\n'
        yield '<table width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;border-collapse:collapse">\n'
        def macro():
            t_14 = []
            l_1_cluster = resolve('cluster')
            pass
            t_14.append(
                escape((undefined(name='cluster') if l_1_cluster is missing else l_1_cluster)),
            )
            return Markup(concat(t_14))
        caller = macro
        yield (undefined(name='row') if l_0_row is missing else l_0_row)((undefined(name='w') if l_0_w is missing else l_0_w).labels['cluster'], caller)
        yield '</table>\n'

def block_footer(context, missing=missing):
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
    yield escape((undefined(name='w') if l_0_w is missing else l_0_w).list_footer())

blocks = {'title': block_title, 'preheader': block_preheader, 'accent': block_accent, 'page': block_page, 'heading': block_heading, 'lists': block_lists, 'footer': block_footer}
debug_info = '1=28&2=31&4=33&5=35&7=40&9=42&10=60&14=63&16=66&17=75&19=93&20=112&21=125&22=144&23=158&24=170&35=171&91=173&24=178&25=197&26=210&27=214&28=218&29=221&31=225&32=228&35=233&36=252&37=254&38=256&41=259&42=268&43=280&44=282&46=291&47=293&49=303&50=305&52=315&53=325&57=343&58=350&59=352&60=354&61=364&62=367&64=371&65=374&67=378&68=381&70=383&71=385&73=387&74=389&79=394&80=397&82=401&84=404&87=407&93=419'
